-- register.lua: wrk's requests for bench/run.py register: each a schedule of its own, the spec's size.
local body = [[{"name":"bench","client":{"operation":"op#1","application":"chef","group":"system","key":"%d","type":"scheduler"},"type":"cron","schedule":"30 0 0 1 1 *","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://127.0.0.1:9/api/run/DELAY-TEST-9","headers":{"Content-Type":"application/json","accept":"*/*","Authorization":"Bearer token"}},"data":{"instanceName":"delay-test-999","variables":{}},"history_check":false,"failed_policy":"retry","retry_wait":60}}]]
local n = 0

request = function()
    n = n + 1
    return wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, string.format(body, n))
end
