-- For wrk: requests with each of the tokens in turn. The arguments are the tokens.
local requests, turn = {}, 0

function init(tokens)
    for number, token in ipairs(tokens) do
        requests[number] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
    end
end

function request()
    turn = turn % #requests + 1
    return requests[turn]
end
