-- The same questions as the gateway's, as a team would ask them in nginx: is the token good (ES256,
-- kid, typ, iss, aud, exp, nbf; verified once and remembered), where does the interface stand, has the
-- application an agreement with it and this purpose, is it within its rate (a token bucket for each,
-- in this one worker). What nginx does not do here: a journal, digests, receipts, quotas, rules by
-- method and path.
local ffi = require "ffi"
local known = require("resty.lrucache").new(50000)

ffi.cdef [[
  void *BIO_new_mem_buf(const void *buf, int len);
  void *PEM_read_bio_PUBKEY(void *bp, void **x, void *cb, void *u);
  void *EVP_MD_CTX_new(void);
  void EVP_MD_CTX_free(void *ctx);
  const void *EVP_sha256(void);
  int EVP_DigestVerifyInit(void *ctx, void **pctx, const void *type, void *e, void *pkey);
  int EVP_DigestVerify(void *ctx, const unsigned char *sig, size_t len,
                       const unsigned char *tbs, size_t tbslen);
]]
local crypto = ffi.load("libcrypto.so.3")
local ngx, exit, now = ngx, ngx.exit, ngx.now
local SKEW_SECONDS = 5
local _M = {}
local settings, rate, burst
-- By interface: where it stands. By consumer: its purposes by interface, and what is left of its rate.
local keys, routes, consumers = {}, {}, {}

local function read_agreements(file)
  for line in io.lines(file) do
    local consumer, interface, purpose = line:match("^(%S+) (%S+) (%S+)$")
    routes[interface] = settings.upstream
    local known_one = consumers[consumer]
    if not known_one then
      known_one = { purposes = {}, left = burst, at = 0 }
      consumers[consumer] = known_one
    end
    known_one.purposes[interface] = purpose
  end
end

function _M.init(told)
  settings, rate, burst = told, told.rate, told.burst
  for kid, pem in pairs(told.keys) do
    keys[kid] = crypto.PEM_read_bio_PUBKEY(crypto.BIO_new_mem_buf(pem, #pem), nil, nil, nil)
    assert(keys[kid] ~= nil, "the key cannot be read")
  end
  read_agreements(told.agreements)
end

local function decoded(part)
  part = part:gsub("-", "+"):gsub("_", "/")
  return ngx.decode_base64(part .. string.rep("=", -#part % 4))
end

local function integer(bytes)
  bytes = bytes:gsub("^%z+", "")
  if bytes == "" or bytes:byte(1) > 127 then bytes = "\0" .. bytes end
  return "\2" .. string.char(#bytes) .. bytes
end

local function is_signed(said, signature, key)
  if not signature or #signature ~= 64 then return false end
  local pair = integer(signature:sub(1, 32)) .. integer(signature:sub(33))
  local der = "\48" .. string.char(#pair) .. pair
  local ctx = crypto.EVP_MD_CTX_new()
  crypto.EVP_DigestVerifyInit(ctx, nil, crypto.EVP_sha256(), nil, key)
  local good = crypto.EVP_DigestVerify(ctx, der, #der, said, #said)
  crypto.EVP_MD_CTX_free(ctx)
  return good == 1
end

local function says(object, name, value)
  return object:match('"' .. name .. '":%s*"([^"]*)"') == value
end

-- What is read of a token is only believed once its signature is good, and then it is the issuer's
-- own JSON: a pattern for each member is enough, and no library for JSON has to be there.
local function verified(shown)
  local head, body, signature = shown:match("^[Bb]earer ([^.]+)%.([^.]+)%.([^.]+)$")
  local header, claims = decoded(head or ""), decoded(body or "")
  if not header or not claims then return nil end
  local key = keys[header:match('"kid":%s*"([^"]*)"')]
  if not key or not says(header, "alg", "ES256") or not says(header, "typ", "at+jwt")
      or not says(claims, "iss", settings.issuer) or not says(claims, "aud", settings.audience)
      or not is_signed(head .. "." .. body, decoded(signature), key) then return nil end
  local ends = tonumber(claims:match('"exp":%s*(%d+)'))
  local application = claims:match('"application":%s*"([^"]+)"')
  if not ends or not application then return nil end
  local begins = tonumber(claims:match('"nbf":%s*(%d+)')) or 0
  return { begins = begins - SKEW_SECONDS, ends = ends, application = application }
end

local function is_within_rate(consumer, moment)
  local left = consumer.left + (moment - consumer.at) * rate
  if left > burst then left = burst end
  consumer.at = moment
  if left < 1 then
    consumer.left = left
    return false
  end
  consumer.left = left - 1
  return true
end

function _M.check()
  local var, moment = ngx.var, now()
  local shown = var.http_authorization
  if not shown then return exit(401) end
  local token = known:get(shown)
  if not token then
    token = verified(shown)
    if not token then return exit(401) end
    known:set(shown, token)
  end
  if moment >= token.ends or moment < token.begins then return exit(401) end
  local interface = var.interface
  local upstream = routes[interface]
  if not upstream then return exit(404) end
  local consumer = consumers[token.application]
  local purpose = consumer and consumer.purposes[interface]
  if not purpose or var.http_sebalai_purpose ~= purpose then return exit(403) end
  if not is_within_rate(consumer, moment) then return exit(429) end
  var.consumer, var.upstream = token.application, upstream
end

return _M
