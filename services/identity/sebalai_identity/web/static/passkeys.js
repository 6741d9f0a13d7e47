// Passkeys: asks our own address for options, lets the browser do its work, sends back what it made.
// Nothing else on these pages needs a script. Ours alone; the page's policy lets no other run.
"use strict";

(() => {
  const box = document.getElementById("passkey");
  // A bare IP address cannot own passkeys: there the browser would only refuse.
  const canOwn = !/^[\d.]+$|^\[/.test(location.hostname);
  if (!box || !window.PublicKeyCredential || !canOwn) return;
  box.hidden = false;
  const or = document.getElementById("or");
  if (or) or.hidden = false;
  const button = box.querySelector("button");
  const error = box.querySelector("[role=alert]");
  const label = box.querySelector("input[name=label]");
  const asked = box.dataset;

  const toBytes = (text) => {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  };
  const toText = (buffer) => {
    const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
    return btoa(binary).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const known = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

  const send = async (address, body) => {
    const answer = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "Sebalai-Form": asked.csrf },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${address} answered ${answer.status}`);
    return answer.json();
  };

  const make = (options) => navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  });
  const get = (options) => navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  });

  const written = (credential) => {
    const { response } = credential;
    const told = { clientDataJSON: toText(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) told[name] = toText(response[name]);
    }
    if (response.getTransports) told.transports = response.getTransports();
    return {
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: told,
      clientExtensionResults: {},
    };
  };

  button.addEventListener("click", async () => {
    button.disabled = true;
    error.hidden = true;
    try {
      const options = await send(asked.options, {});
      const credential = await (asked.purpose === "create" ? make(options) : get(options));
      const done = await send(asked.finish, {
        credential: written(credential),
        interaction: asked.interaction || null,
        lang: asked.lang,
        label: label ? label.value : null,
      });
      location.assign(done.location);
    } catch (failure) {
      // Also when the person closes the browser's dialogue: the reason stays between them.
      console.info(failure);
      error.textContent = asked.failed;
      error.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
})();
