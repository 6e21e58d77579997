-- For wrk with one connection: refreshes, each with the token that the one before gave. The argument is the first token.
local token

function init(arguments)
    token = arguments[1]
end

function request()
    local headers = { ["Content-Type"] = "application/x-www-form-urlencoded" }
    local body = "grant_type=refresh_token&client_id=mobile&refresh_token=" .. token
    return wrk.format("POST", nil, headers, body)
end

function response(_, _, body)
    token = body:match('"refresh_token":"([^"]+)"') or token
end
