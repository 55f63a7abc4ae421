-- What Sidekiq left in each database of this Redis, as one JSON object. Reads only.
local function info(part, name)
  return string.match(redis.call('INFO', part), name .. ':([^\r\n]*)')
end
local numbers = {['0'] = true}
for number in string.gmatch(redis.call('INFO', 'keyspace'), 'db(%d+):') do numbers[number] = true end
local databases = {}
for number in pairs(numbers) do
  redis.call('SELECT', number)
  local processes, queues, dead = {}, {}, {}
  for _, identity in ipairs(redis.call('SMEMBERS', 'processes')) do
    local hash = redis.call('HMGET', identity, 'info', 'beat')
    if hash[1] then
      table.insert(processes, {identity = identity, info = cjson.decode(hash[1]), beat = tonumber(hash[2]) or 0})
    end
  end
  for _, name in ipairs(redis.call('SMEMBERS', 'queues')) do
    local oldest = redis.call('LINDEX', 'queue:' .. name, -1)
    local since = 0
    if oldest then
      local job = cjson.decode(oldest)
      since = job.enqueued_at or job.created_at or 0
    end
    table.insert(queues, {name = name, length = redis.call('LLEN', 'queue:' .. name), oldest = since})
  end
  local entries = redis.call('ZREVRANGE', 'dead', 0, 199, 'WITHSCORES')
  for index = 1, #entries, 2 do
    local job = cjson.decode(entries[index])
    table.insert(dead, {class = job.wrapped or job.class or '?', error = string.sub(job.error_message or '', 1, 200),
                        at = tonumber(entries[index + 1])})
  end
  table.insert(databases, {
    number = tonumber(number), processes = processes, queues = queues, dead = dead,
    dead_count = redis.call('ZCARD', 'dead'),
    processed = tonumber(redis.call('GET', 'stat:processed') or '0'),
    failed = tonumber(redis.call('GET', 'stat:failed') or '0'),
  })
end
return cjson.encode({version = info('server', 'redis_version'), policy = info('memory', 'maxmemory_policy'),
                     databases = databases})
