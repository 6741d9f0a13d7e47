-- The same questions as the gateway's, as a team would ask them in nginx: is the token good (ES256,
-- verified once and remembered), does it stand for an application with an agreement and this
-- purpose, is it within its rate. What nginx does not do here: a journal, digests, receipts, quotas.
local ffi = require "ffi"
local lru = require("resty.lrucache").new(50000)

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
local _M = {}
local key, settings
local seen_second, seen = 0, {}

function _M.init(told)
  settings = told
  key = crypto.PEM_read_bio_PUBKEY(crypto.BIO_new_mem_buf(told.pem, #told.pem), nil, nil, nil)
  assert(key ~= nil, "the key cannot be read")
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

local function is_signed(said, signature)
  if not signature or #signature ~= 64 then return false end
  local pair = integer(signature:sub(1, 32)) .. integer(signature:sub(33))
  local der = "\48" .. string.char(#pair) .. pair
  local ctx = crypto.EVP_MD_CTX_new()
  crypto.EVP_DigestVerifyInit(ctx, nil, crypto.EVP_sha256(), nil, key)
  local good = crypto.EVP_DigestVerify(ctx, der, #der, said, #said)
  crypto.EVP_MD_CTX_free(ctx)
  return good == 1
end

local function verified(token)
  local head, body, signature = token:match("^([^.]+)%.([^.]+)%.([^.]+)$")
  if not head or not (decoded(head) or ""):find('"at+jwt"', 1, true) then return nil end
  local claims = decoded(body)
  if not claims or not claims:find(settings.issuer, 1, true)
      or not claims:find(settings.audience, 1, true) then return nil end
  if not is_signed(head .. "." .. body, decoded(signature)) then return nil end
  return {
    ends = tonumber(claims:match('"exp":%s*(%d+)')),
    application = claims:match('"application":%s*"([^"]+)"'),
  }
end

local function within_rate(application)
  local second = ngx.time()
  if second ~= seen_second then seen_second, seen = second, {} end
  seen[application] = (seen[application] or 0) + 1
  return seen[application] <= settings.rate
end

function _M.check()
  local token = (ngx.var.http_authorization or ""):match("^Bearer (.+)$")
  if not token then return ngx.exit(401) end
  local claims = lru:get(token)
  if not claims then
    claims = verified(token)
    if not claims then return ngx.exit(401) end
    lru:set(token, claims)
  end
  if ngx.time() >= claims.ends then return ngx.exit(401) end
  local agreed = settings.agreements[claims.application .. " " .. ngx.var.interface]
  if not agreed or ngx.var.http_sebalai_purpose ~= agreed then return ngx.exit(403) end
  if not within_rate(claims.application) then return ngx.exit(429) end
  ngx.req.set_header("x-road-client", claims.application)
  ngx.req.clear_header("authorization")
end

return _M
