-- What Sidekiq keeps in each database of this Redis, as one JSON object. Reads only. Other programs may use the same keys
-- for something else: what has another type is left out.
local function info(part, name)
  return string.match(redis.call('INFO', part), name .. ':([^\r\n]*)')
end
local function ask(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer or nil
end
local function decoded(text)
  local well, found = pcall(cjson.decode, text)
  return well and type(found) == 'table' and found or {}
end
local numbers = {['0'] = true}
for number in string.gmatch(redis.call('INFO', 'keyspace'), 'db(%d+):') do numbers[number] = true end
local databases = {}
for number in pairs(numbers) do
  redis.call('SELECT', number)
  local processes, queues, dead = {}, {}, {}
  for _, identity in ipairs(ask('SMEMBERS', 'processes') or {}) do
    local hash = ask('HMGET', identity, 'info', 'beat') or {}
    if hash[1] then
      table.insert(processes, {identity = identity, info = decoded(hash[1]), beat = tonumber(hash[2]) or 0})
    end
  end
  for _, name in ipairs(ask('SMEMBERS', 'queues') or {}) do
    local oldest = ask('LINDEX', 'queue:' .. name, -1)
    local since = 0
    if oldest then
      local job = decoded(oldest)
      since = tonumber(job.enqueued_at) or tonumber(job.created_at) or 0
    end
    table.insert(queues, {name = name, length = ask('LLEN', 'queue:' .. name) or 0, oldest = since})
  end
  local entries = ask('ZREVRANGE', 'dead', 0, 199, 'WITHSCORES') or {}
  for index = 1, #entries, 2 do
    local job = decoded(entries[index])
    table.insert(dead, {class = job.wrapped or job.class or '?',
                        error = type(job.error_message) == 'string' and string.sub(job.error_message, 1, 200) or '',
                        at = tonumber(entries[index + 1])})
  end
  table.insert(databases, {
    number = tonumber(number), processes = processes, queues = queues, dead = dead,
    dead_count = ask('ZCARD', 'dead') or 0,
    processed = tonumber(ask('GET', 'stat:processed')) or 0,
    failed = tonumber(ask('GET', 'stat:failed')) or 0,
  })
end
return cjson.encode({version = info('server', 'redis_version'), run_id = info('server', 'run_id'), policy = info('memory', 'maxmemory_policy'),
                     databases = databases})
