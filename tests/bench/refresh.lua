-- One refreshing client for each thread of wrk: what it is answered it presents next.
-- wrk -t N -c N -s refresh.lua URL -- FILE, with a refresh token in each of FILE's lines
local threads = {}

function setup(thread)
  table.insert(threads, thread)
  thread:set("number", #threads)
end

function init(arguments)
  local count = 0
  for line in io.lines(arguments[1]) do
    count = count + 1
    if count == number then newest = line end
  end
  headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
  refused = 0
end

function request()
  return wrk.format("POST", "/oauth/token", headers, "grant_type=refresh_token&client_id=mobile&refresh_token=" .. newest)
end

function response(status, _, body)
  if status == 200 then
    newest = body:match('"refresh_token":"([^"]+)"')
  else
    refused = refused + 1
  end
end

function done(summary, latency)
  local refused = 0
  for _, thread in ipairs(threads) do refused = refused + thread:get("refused") end
  local cut = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  print(string.format("result %d %d %d %d %d", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), refused + cut))
end
