-- What Sidekiq keeps in each database of this Redis, as one JSON object. Reads only. Other programs may use the same keys
-- for something else: what has another type is left out. ARGV[1] is the number of Lago's database, read in any case, ARGV[2]
-- parts of the names of the jobs to look for, "" for none.
local function ask(...)
  local answer = redis.pcall(...)
  if type(answer) == 'table' and answer.err then return nil end
  return answer or nil
end
-- cjson can't write infinity and what is no number.
local function number(value)
  local found = tonumber(value)
  if found and found == found and math.abs(found) < 1e300 then return found end
end
local function decoded(text)
  local well, found = pcall(cjson.decode, text)
  if not (well and type(found) == 'table') then return {} end
  return pcall(cjson.encode, found) and found or {}
end
local function text(value) return type(value) == 'string' and string.sub(value, 1, 200) or nil end
local function class_of(job) return text(job.wrapped) or text(job.class) or '?' end
local function members(key)
  if (ask('SCARD', key) or 0) > 1000 then return ask('SRANDMEMBER', key, 1000) or {} end
  return ask('SMEMBERS', key) or {}
end
-- What a process is at: class, queue, and since when.
local function work_of(identity)
  local works = {}
  for at, value in ipairs(ask('HVALS', identity .. ':work') or {}) do
    if at > 100 then break end
    local work = decoded(value)
    local job = type(work.payload) == 'table' and work.payload or decoded(work.payload)
    table.insert(works, {class = class_of(job), queue = text(work.queue), since = number(work.run_at), id = text(job.jid)})
  end
  return works
end
-- A set of jobs by the times when they are due: how many, the first that is due, and since when the oldest fails.
local function waiting(key, now)
  local count = ask('ZCARD', key)
  if not count then return nil end
  local entries = ask('ZRANGE', key, 0, 99, 'WITHSCORES') or {}
  local first, oldest = nil, nil
  for index = 1, #entries, 2 do
    local job = decoded(entries[index])
    if not first then first = {class = class_of(job), error = text(job.error_message), due = number(entries[index + 1])} end
    local failed = number(job.failed_at)
    if failed and failed > 1e11 then failed = failed / 1000 end
    if failed and failed > 0 and (not oldest or failed < oldest) then oldest = failed end
  end
  return {count = count, first = first, failing = oldest, overdue = now and ask('ZCOUNT', key, '-inf', now - 120)}
end
-- Jobs whose text has one of some words, by class and place: how many, the first error, and since when (as Sidekiq counts).
local wanted = {}
for word in string.gmatch(ARGV[2] or '', '%S+') do table.insert(wanted, word) end
local function searched()
  local found, order = {}, {}
  local function look(payload, place, at)
    for _, word in ipairs(wanted) do
      if string.find(payload, word, 1, true) then
        local job = decoded(payload)
        local key = place .. ' ' .. class_of(job)
        if not found[key] then
          found[key] = {class = class_of(job), place = place, count = 0, error = text(job.error_message),
                        at = at or number(job.enqueued_at) or number(job.created_at)}
          table.insert(order, found[key])
        end
        found[key].count = found[key].count + 1
        return
      end
    end
  end
  for _, name in ipairs(members('queues')) do
    for _, payload in ipairs(ask('LRANGE', 'queue:' .. name, -5000, -1) or {}) do look(payload, 'queue ' .. string.sub(name, 1, 80)) end
  end
  for _, set in ipairs({'retry', 'schedule', 'dead'}) do
    local entries = ask('ZREVRANGE', set, 0, 4999, 'WITHSCORES') or {}
    for index = 1, #entries, 2 do look(entries[index], set, number(entries[index + 1])) end
  end
  return order
end
local numbers = {['0'] = true}
if string.match(ARGV[1] or '', '^%d+$') then numbers[ARGV[1]] = true end
for found in string.gmatch(ask('INFO', 'keyspace') or '', 'db(%d+):') do numbers[found] = true end
local now = number((ask('TIME') or {})[1])
local databases = {}
for each in pairs(numbers) do
  -- Without the right to SELECT the first one is read all the same.
  if not (ask('SELECT', each) or each == '0') then
    table.insert(databases, {number = tonumber(each)})
  else
    local processes, queues, dead = {}, {}, {}
    for _, identity in ipairs(members('processes')) do
      local hash = ask('HMGET', identity, 'info', 'beat', 'quiet') or {}
      if hash[1] then
        table.insert(processes, {identity = identity, info = decoded(hash[1]), beat = number(hash[2]) or 0,
                                 quiet = hash[3] == 'true', work = work_of(identity)})
      end
    end
    for _, name in ipairs(members('queues')) do
      local job = decoded(ask('LINDEX', 'queue:' .. name, -1))
      table.insert(queues, {name = name, length = ask('LLEN', 'queue:' .. name) or 0, class = class_of(job),
                            oldest = number(job.enqueued_at) or 0, created = number(job.created_at) or 0})
    end
    local entries = ask('ZREVRANGE', 'dead', 0, 199, 'WITHSCORES') or {}
    for index = 1, #entries, 2 do
      local job = decoded(entries[index])
      table.insert(dead, {class = class_of(job), error = text(job.error_message) or '', at = number(entries[index + 1])})
    end
    table.insert(databases, {
      filling = #wanted > 0 and searched() or nil,
      number = tonumber(each), processes = processes, queues = queues, dead = dead,
      dead_count = ask('ZCARD', 'dead') or 0,
      retry = waiting('retry', now), schedule = waiting('schedule', now),
      processed = number(ask('GET', 'stat:processed')) or 0,
      failed = number(ask('GET', 'stat:failed')) or 0,
    })
  end
end
return cjson.encode({databases = databases})
