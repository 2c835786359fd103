-- A tour through Lua whose output is determined: tables, closures, strings, coroutines, files.
local function primes(limit)
  local sieve, list = {}, {}
  for i = 2, limit do
    if not sieve[i] then
      list[#list + 1] = i
      for k = i * i, limit, i do sieve[k] = true end
    end
  end
  return list
end

local list = primes(20000)
print(#list, list[#list])

local numbers = {}
local seed = 42
for i = 1, 5000 do
  seed = (seed * 1103515245 + 12345) % 2147483648
  numbers[i] = seed
end
table.sort(numbers)
print(numbers[1], numbers[2500], numbers[5000])

local parts = {}
for word in ("one two three four five"):gmatch("%a+") do
  parts[#parts + 1] = word:upper():reverse()
end
print(table.concat(parts, ","))
print(string.format("%.14g %5.2f %x %q", math.pi, math.exp(2), 48879, "quoted\n"))

local squares = coroutine.wrap(function()
  for i = 1, 5 do coroutine.yield(i * i) end
end)
print(squares(), squares(), squares())

local good, value = pcall(function() error({ code = 7 }) end)
print(good, value.code)
print(select(2, pcall(error, "plain message")))

local path = "/tmp/tour.txt"
local file = assert(io.open(path, "w"))
for i = 1, 1000 do file:write(i, " ", i * i, "\n") end
file:close()
local sum = 0
for line in io.lines(path) do sum = sum + tonumber(line:match("(%d+)$")) end
print(sum, os.remove(path), io.open(path))

local text = string.rep("The quick brown fox. ", 2000)
print(#text, select(2, text:gsub("quick", "slow")), #text:gsub("%s", ""))
collectgarbage()
print(arg[1], #arg)
