"""The developer's commands: grammar, profile and errors; what they call is tested where it stands."""

import subprocess

import pytest
from sebalai_local.agency import commands, hook, profile
from sebalai_local.cli import _parser, run, words
from sebalai_local.failures import Misuse
from sebalai_shared import http

ASKED = [
    "agreements", "request", "x", "--rule", "SUBSCRIBE /a.b.c.v1", "--until", "2027-11-24T00:00:00Z",
    "--purpose", "a=UU 1 pasal 2", "--purpose", "b=UU 1 pasal 3 = 4",
]  # fmt: skip


@pytest.fixture(autouse=True)
def nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("SEBALAI_PROFILE", str(tmp_path / "profile.json"))


def test_who_is_not_logged_in_is_told_how(capsys):
    assert run(["whoami"]) == 1
    assert "sebalai login" in capsys.readouterr().err


def test_every_group_lists_its_commands_for_completion(capsys):
    assert words()["agreements"] == ["request", "grant", "list"]
    assert run(["completion"]) == 0
    told = capsys.readouterr().out
    assert "interfaces) set -- publish diff list ;;" in told


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["agreements", "request", "x", "--keep"], ["--keep-days"]),
        (["events", "resend", "--s"], ["--since", "--subscription"]),
        (["login", "--cl"], ["--client-id"]),
        (["agreements", "re"], ["request"]),
    ],
)
def test_the_shell_completes_commands_and_their_options(typed, offered, capsys):
    assert run(["completion"]) == 0
    line = f"COMP_WORDS=(sebalai {' '.join(typed)}); COMP_CWORD={len(typed)}; _sebalai"
    script = f'{capsys.readouterr().out}\n{line}\necho "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ([*ASKED], [None, None]),
        ([*ASKED, "--keep-days", "b=7"], [None, 7]),
        ([*ASKED, "--keep-days", "b=0007", "--keep-days", "a=3650"], [3650, 7]),
        ([*ASKED[:-2], "--keep-days", "30"], [30]),
    ],
)
def test_an_agreement_is_asked_for_with_the_days_of_each_purpose(words, days):
    asked = commands.purposes(_parser().parse_args(words))
    assert [one.get("keep_days") for one in asked] == days
    assert [one["legal_basis"] for one in asked] == ["UU 1 pasal 2", "UU 1 pasal 3 = 4"][
        : len(days)
    ]


def test_profile_is_for_the_owner_alone_and_holds_no_key():
    saved = profile.save(profile.Profile(gateway="http://x", client_id="c", key_file="/k"))
    assert saved.stat().st_mode & 0o077 == 0
    assert profile.load().key_file == "/k"


def test_gateway_that_is_away_is_said_in_two_lines(capsys, tmp_path):
    key = tmp_path / "key.jwk"
    key.write_text('{"kty":"EC","crv":"P-256","x":"","y":""}')
    assert (
        run(["login", "--gateway", "http://127.0.0.1:1", "--client-id", "c", "--key", str(key)])
        == 1
    )
    assert len(capsys.readouterr().err.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["call", "GET", "x", "--purpose", "p", "--header", "bad"], "Write --header"),
        (["trigger", "a.b.c.v1", "--data", "{"], "not JSON"),
        (["events", "resend", "x", "--since", "2026-11-24T00:00:00Z"], "not both"),
        (["events", "resend", "--since", "2026-11-24T00:00:00"], "no time with its offset"),
        ([*ASKED, "--keep-days", "0"], "a whole number, 1 to 3650"),
        ([*ASKED, "--keep-days", "3651"], "a whole number, 1 to 3650"),
        ([*ASKED, "--keep-days", "a=seminggu"], "a whole number, 1 to 3650"),
        ([*ASKED, "--keep-days", "c=7"], "there is no --purpose 'c'.\nYours: a, b"),
        ([*ASKED, "--keep-days", "7"], "of which purpose?\n--keep-days a=7"),
        ([*ASKED, "--keep-days", "a=7", "--keep-days", "a=9"], "given twice for a"),
        ([*ASKED, "--purpose", "c"], "A purpose is 'code=legal basis'"),
    ],
)
def test_wrong_usage_ends_with_two(words, told, capsys):
    assert run(words) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("secret", ["whsec_", "whsec_%%%", ""])
def test_what_is_no_secret_is_refused(secret):
    with pytest.raises(Misuse, match="no webhook secret"):
        hook.key_of(secret)


def test_problem_is_told_in_its_own_words():
    answer = http.Response(409, json={"title": "T", "detail": "D", "breaks": ["GET /a: gone"]})
    assert str(profile.refused("publish", answer)) == "publish: 409 T\n  - GET /a: gone\nD"
    assert "502" in str(profile.refused("call", http.Response(502, text="<html>")))


def test_a_hook_is_signed_as_standard_webhooks_wants_it():
    """The specification's own example."""
    body = b'{"test": 2432232314}'
    key = hook.key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = hook.signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("bearer:simduk", {"kind": "bearer", "id": "simduk"}),
        ("header:kunci:X-Api-Key", {"kind": "header", "id": "kunci", "header": "X-Api-Key"}),
    ],
)
def test_publish_names_the_credential_by_kind_and_id(told, meant, tmp_path):
    (tmp_path / "ca.pem").write_text("PEM")
    line = ["interfaces", "publish", "x", "x.json", "--address", "https://x"]
    more = ["--credential", told, "--trust", str(tmp_path / "ca.pem")]
    assert commands.appearance(_parser().parse_args([*line, *more])) == {
        "trust_anchors": "PEM",
        "credential": meant,
    }
    assert commands.appearance(_parser().parse_args(line)) == {}
    with pytest.raises(Misuse):
        commands.appearance(_parser().parse_args([*line, "--credential", "bearer"]))
