-- posted.lua: wrk's requests for bench/graphql.py: what BENCH_BODY says, with each %d a number of its own.
local body = os.getenv("BENCH_BODY")
local headers = { ["Content-Type"] = "application/json" }
local numbered = body:find("%d", 1, true)
local n = 0

request = function()
    n = n + 1
    return wrk.format("POST", nil, headers, numbered and body:gsub("%%d", tostring(n)) or body)
end
