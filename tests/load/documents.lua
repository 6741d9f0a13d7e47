-- Sends each document once: a line of DOCUMENTS holds its record, its first bytes, its digest and
-- the assertion of its caller; the rest of every document is the file DOCUMENT_REST.
local documents, rest, sent = {}, "", 0

function init(_)
  rest = io.open(os.getenv("DOCUMENT_REST"), "rb"):read("*a")
  for line in io.lines(os.getenv("DOCUMENTS")) do
    local record, first, digest, caller = line:match("(%S+) (%S+) (%S+) (%S+)")
    documents[#documents + 1] = { record, first, digest, caller }
  end
end

function request()
  sent = sent + 1
  local one = documents[sent]
  if one == nil then
    return wrk.format("GET", "/livez")
  end
  local headers = { ["Content-Digest"] = "sha-256=:" .. one[3] .. ":", ["Sebalai-Caller"] = one[4] }
  return wrk.format("PUT", "/v1/records/" .. one[1] .. "/content", headers, one[2] .. rest)
end
