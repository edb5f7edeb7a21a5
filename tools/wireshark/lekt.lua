-- The LEKT protocol for Wireshark and tshark. docs/wireshark.md says how to use it, docs/protocol.md what the bytes mean.
--
-- Each packet is read once, by one function that lists its fields; what it reads gathers as nodes. Only when the packet
-- is complete are the nodes shown. So a packet that continues in the next segment leaves no trace before it is whole.
-- What is wrong is marked with the code that the server gives for it (lekt.e105 is E105; docs/errors.md), or with E703
-- if the server sent it. What a packet means may depend on those before it: see Stream.

local lekt = Proto("lekt", "LEKT")

-- ---- Limits: those of common/limits.h ----

local header_bytes = 8
local methods_max_ceiling = 65536
local information_bytes_max = 4096
local packet_bytes_ceiling = 16 * 1024 * 1024
local reject_text_max = 1020

-- ---- Preferences ----

lekt.prefs.port = Pref.range("TCP ports", "7890", "Ports at which servers listen. Others: Decode As.", 65535)
lekt.prefs.catalogue = Pref.string("Methods", "",
  "What the server's --method says, separated by commas: 2:chat:sized,3:key:fixed:6. Methods 1 (tcp) and 3006 (device) are built in.")
lekt.prefs.methods_max = Pref.uint("Known methods at most", 1024, "The server's --max-methods: what E104 is held against.")

local catalogue = {}

local function read_catalogue(text)
  catalogue = { [1] = { name = "tcp", fixed = 4 }, [3006] = { name = "device" } }
  for entry in text:gmatch("[^%s,]+") do
    local index, name, form, bytes = entry:match("^(%d+):([a-z0-9-]+):(%a+):?(%d*)$")
    index, bytes = tonumber(index), tonumber(bytes)
    local is_form = form == "sized" and not bytes or form == "fixed" and bytes and bytes <= information_bytes_max
    if index and index > 1 and index ~= 3006 and is_form then
      catalogue[index] = { name = name, fixed = bytes }
    else
      report_failure("LEKT: the method \"" .. entry .. "\" is not INDEX:NAME:sized or INDEX:NAME:fixed:BYTES")
    end
  end
end

local function with_name(index)
  local method = catalogue[index]
  return index .. (method and " (" .. method.name .. ")" or "")
end

-- ---- Fields and what can be wrong with them ----

local field = {
  packet = ProtoField.string("lekt.packet", "Packet"),
  type = ProtoField.char("lekt.type", "Type", base.OCT),
  version = ProtoField.string("lekt.version", "Version"),
  major = ProtoField.uint8("lekt.version.major", "Major"),
  minor = ProtoField.uint8("lekt.version.minor", "Minor"),
  extra = ProtoField.uint8("lekt.version.extra", "Extra (optional features)", base.HEX),
  feature = ProtoField.string("lekt.feature", "Feature"),
  log_identity = ProtoField.bytes("lekt.log_identity", "Identity of the change log"),
  known = ProtoField.uint32("lekt.methods_known", "Number of known methods"),
  supported = ProtoField.bytes("lekt.methods_supported", "Supported methods"),
  supports = ProtoField.uint32("lekt.supports", "Supports method"),
  index = ProtoField.uint32("lekt.index", "Index of method"),
  information = ProtoField.bytes("lekt.information", "Information"),
  length = ProtoField.uint32("lekt.information.length", "Length"),
  port = ProtoField.uint32("lekt.port", "Port"),
  padding = ProtoField.bytes("lekt.padding", "Padding"),
  timestamp = ProtoField.int64("lekt.timestamp", "Timestamp"),
  time = ProtoField.absolute_time("lekt.time", "Time", base.UTC),
  kind = ProtoField.char("lekt.kind", "Kind", base.OCT),
  count = ProtoField.uint24("lekt.count", "Number of clients"),
  client = ProtoField.bytes("lekt.client", "Client"),
  size = ProtoField.uint32("lekt.client.size", "Size of client object"),
  address = ProtoField.ipv4("lekt.address", "Address"),
  unknown = ProtoField.bytes("lekt.unknown", "Methods that are not in the catalogue"),
  message = ProtoField.string("lekt.message", "Message"),
  code = ProtoField.string("lekt.code", "Code"),
  rest = ProtoField.bytes("lekt.rest", "Not understood"),
  heartbeat_in = ProtoField.framenum("lekt.heartbeat_in", "Answers the heartbeat in frame", base.NONE, frametype.REQUEST),
  answered_in = ProtoField.framenum("lekt.answered_in", "Answer ends in frame", base.NONE, frametype.RESPONSE),
  answer_time = ProtoField.relative_time("lekt.answer_time", "Time from the heartbeat to the end of its answer"),
}
lekt.fields = field

local problem = {}
local function may_be_wrong(name, severity, text)
  problem[name] = ProtoExpert.new("lekt." .. name, text, expert.group.PROTOCOL, severity)
end
may_be_wrong("e101", expert.severity.ERROR, "The version is not supported")
may_be_wrong("e102", expert.severity.ERROR, "These bytes begin no LEKT packet")
may_be_wrong("e103", expert.severity.ERROR, "A packet of this type is not expected here")
may_be_wrong("e104", expert.severity.ERROR, "Too many known methods")
may_be_wrong("e105", expert.severity.ERROR, "A method's bit is beyond the number of known methods")
may_be_wrong("e201", expert.severity.ERROR, "The response is for another method than the requested one")
may_be_wrong("e202", expert.severity.ERROR, "Not a port")
may_be_wrong("e203", expert.severity.ERROR, "The information is too long")
may_be_wrong("e204", expert.severity.ERROR, "Padding that is not zero")
may_be_wrong("e703", expert.severity.ERROR, "The server broke the protocol")
may_be_wrong("rejected", expert.severity.NOTE, "The server will not go on")
may_be_wrong("own_clock", expert.severity.WARN, "Later than the last closing timestamp")
may_be_wrong("not_in_catalogue", expert.severity.NOTE, "The method is not in the preference \"Methods\"")
may_be_wrong("cut_off", expert.severity.WARN, "The rest of this packet is not in the capture, or not reassembled")
lekt.experts = problem

-- ---- Reader: a cursor that leaves packet() when bytes are missing or make no sense ----

local Reader = {}
Reader.__index = Reader

function Reader.new(tvb, start, from_server)
  return setmetatable({ tvb = tvb, start = start, position = start, from_server = from_server, nodes = {} }, Reader)
end

function Reader:left() return self.tvb:len() - self.position end

-- Ends the packet: where it would end is unknown.
function Reader:refuse(code, text)
  error({ code = self.from_server and "e703" or code, text = text }, 0)
end

function Reader:need(count)
  if self.position - self.start + count > packet_bytes_ceiling then
    self:refuse("e102", "The packet would have more than " .. packet_bytes_ceiling .. " bytes")
  end
  if self:left() < count then error({ missing = count - self:left() }, 0) end
end

function Reader:take(count)
  self:need(count)
  self.position = self.position + count
  return self.tvb(self.position - count, count)
end

-- One more field. `value` stands for the range's own; `text` for the line in the tree.
function Reader:add(what, range, value, text)
  local node = { field = what, range = range, value = value, text = text, nodes = {}, wrong = {} }
  table.insert(self.nodes, node)
  return node
end

-- What is wrong does not hide where the packet ends.
function Reader:mark(node, code, text)
  table.insert(node.wrong, { code = self.from_server and code:match("^e%d") and "e703" or code, text = text })
end

-- What `read` adds goes below the node.
function Reader:below(node, read)
  local outer = self.nodes
  self.nodes = node.nodes
  local result = read()
  self.nodes = outer
  return result
end

-- ---- Pieces that several packets have ----

local function time_of(seconds)
  if seconds <= 0 or seconds >= 253402300800 then return nil end
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds)
end

local function header(reader)
  local missing = math.max(0, header_bytes - reader:left())
  local start = reader.tvb:raw(reader.position, math.min(4, reader:left()))
  if start ~= ("LEKT"):sub(1, #start) then reader:refuse("e102", "Every packet begins with \"LEKT\"") end
  if missing > 0 then error({ missing = missing }, 0) end
  return reader.tvb:raw(reader.position + 4, 1)
end

-- The optional features, by their bits: those whose bytes are shown.
local features = { { bit = 0x08, name = "identity" } }

-- Their names, and what is left of the bits in hexadecimal.
local function names_of(extra)
  local names = {}
  for _, feature in ipairs(features) do
    if bit.band(extra, feature.bit) ~= 0 then
      table.insert(names, feature.name)
      extra = extra - feature.bit
    end
  end
  if extra ~= 0 then table.insert(names, ("0x%02x"):format(extra)) end
  return names
end

local function version(reader, name)
  reader:take(4)
  reader:add(field.packet, reader.tvb(reader.start, header_bytes), name)
  reader:add(field.type, reader:take(1))
  local range = reader:take(3)
  local major, minor, extra = range(0, 1), range(1, 1), range(2, 1)
  local text = major:uint() .. "." .. minor:uint() .. "." .. extra:uint()
  local node = reader:add(field.version, range, text)
  reader:below(node, function()
    reader:add(field.major, major)
    reader:add(field.minor, minor)
    local names = names_of(extra:uint())
    local extra_node = reader:add(field.extra, extra)
    reader:below(extra_node, function()
      for _, feature in ipairs(names) do reader:add(field.feature, extra, feature) end
    end)
    if #names > 0 then node.text = "Version: " .. text .. " (" .. table.concat(names, ",") .. ")" end
  end)
  reader.extra = extra:uint()
  if name ~= "reject" and (major:uint() ~= 0 or minor:uint() ~= 0) then
    reader:mark(node, "e101", "Version " .. text .. "; 0.0 would be right")
  end
end

-- Returns the seconds, and the words for "everything before this second".
local function timestamp(reader)
  local range = reader:take(8)
  local seconds = range:int64():tonumber()
  local time = time_of(seconds)
  local node = reader:add(field.timestamp, range)
  if time then
    node.text = "Timestamp: " .. range:int64() .. " (" .. time .. ")"
    reader:below(node, function() reader:add(field.time, range, NSTime.new(seconds, 0)) end)
  end
  return seconds, time or tostring(range:int64()), node
end

local function padding(reader, length)
  if length % 4 == 0 then return end
  local node = reader:add(field.padding, reader:take(4 - length % 4))
  if node.range:bytes():tohex():find("[^0]") then
    reader:mark(node, "e204", "The padding is not zero; was it forgotten?")
  end
end

-- The information of a method that the catalogue has. Returns it in words.
local function information(reader, method)
  local length = method.fixed
  if not length then
    local range = reader:take(4)
    length = range:uint()
    reader:add(field.length, range)
    if length > information_bytes_max then
      reader:refuse("e203", length .. " bytes of information; at most " .. information_bytes_max .. " are allowed")
    end
  end
  if length == 0 then return method.name .. ":" end
  local range = reader:take(length)
  local node = reader:add(field.information, range)
  padding(reader, length)
  if method.name == "device" then
    return "device:" .. range:bytes():raw():gsub("[^%w._+@/,=-]", "_")
  end
  if method.name ~= "tcp" then return method.name .. ":" .. range:bytes():tohex(true) end
  local port = range:uint()
  node = reader:add(field.port, range)
  if port < 1 or port > 65535 then reader:mark(node, "e202", "Port " .. port .. "; 1 to 65535 would be right") end
  return "tcp:" .. port
end

-- A text of the network, for one line.
local function printable(text)
  return (text:gsub("%c", function(character) return ("\\x%02x"):format(character:byte()) end))
end

-- ---- Packets of the client ----

local packet = { client = {}, server = {} }

function packet.client.handshake(reader)
  local known_range = reader:take(4)
  local known = known_range:uint()
  local node = reader:add(field.known, known_range)
  if known > methods_max_ceiling then
    reader:refuse("e104", known .. " known methods; no server allows more than " .. methods_max_ceiling)
  elseif known > lekt.prefs.methods_max then
    reader:mark(node, "e104", known .. " known methods; the server allows " .. lekt.prefs.methods_max)
  end
  local supported = {}
  if known > 0 then
    local words = reader:take(4 * math.ceil(known / 32))
    node = reader:add(field.supported, words)
    reader:below(node, function()
      for method = 1, words:len() * 8 do
        local word = words(4 * math.floor((method - 1) / 32), 4)
        if bit.band(word:uint(), bit.lshift(1, (method - 1) % 32)) ~= 0 then
          local bit_node = reader:add(field.supports, word, method, "Supports method " .. with_name(method))
          if method > known then
            reader:mark(bit_node, "e105", "The bit of method " .. method .. " is set, but only " .. known ..
              " methods are known; method m is bit (m-1) mod 32")
          end
          table.insert(supported, with_name(method))
        end
      end
    end)
    node.text = "Supported methods: " .. (#supported > 0 and table.concat(supported, ", ") or "none")
  end
  return "supports " .. (#supported > 0 and table.concat(supported, ", ") or "no method") .. " (of " .. known .. " known)"
end

function packet.client.response(reader)
  local range = reader:take(4)
  local index = range:uint()
  local node = reader:add(field.index, range, nil, "Index of method: " .. with_name(index))
  reader.index, reader.index_node = index, node
  if catalogue[index] then return information(reader, catalogue[index]) end
  -- Its form is unknown, so is where it ends: the next packet tells.
  reader:mark(node, "not_in_catalogue", "The end of the information is a guess")
  local rest = reader:left() > 0 and reader.tvb:raw(reader.position, reader:left()) or ""
  local next_packet = rest:find("LEKT", 1, true)
  local length = next_packet and next_packet - 1 or #rest
  if length > 0 then reader:add(field.information, reader:take(length)) end
  return "information of method " .. index
end

function packet.client.heartbeat(reader)
  local seconds, text, node = timestamp(reader)
  reader.seconds, reader.seconds_node = seconds, node
  return seconds <= 0 and "holds nothing, asks for all" or "holds everything before " .. text
end

-- ---- Packets of the server ----

function packet.server.accept(reader)
  if bit.band(reader.extra, 0x08) == 0 then return "" end
  local range = reader:take(16)
  reader:add(field.log_identity, range)
  return "log " .. range:bytes():tohex(true)
end

function packet.server.reject(reader)
  local text = reader.tvb:raw(reader.position, math.min(reader:left(), reject_text_max + 1))
  local zero = text:find("\0", 1, true)
  if not zero and #text > reject_text_max then
    reader:refuse("e703", "The message is longer than " .. reject_text_max .. " bytes")
  end
  if not zero then error({ missing = 1 }, 0) end
  if zero > 1 then
    text = reader.tvb(reader.position, zero):stringz(ENC_UTF_8)
    local range = reader:take(zero - 1)
    local node = reader:add(field.message, range, text)
    reader:mark(node, "rejected", "It is the last packet")
    if text:find("^E%d%d%d") then reader:add(field.code, range(0, 4), text:sub(1, 4)) end
  end
  reader:add(field.padding, reader:take(4 - (zero - 1) % 4))
  return zero > 1 and printable(text) or "without a message"
end

function packet.server.request(reader)
  local range = reader:take(4)
  reader.index = range:uint()
  local ends = reader.index == 0
  reader:add(field.index, range, nil, "Index of method: " .. (ends and "0 (the setup ends)" or with_name(reader.index)))
  return ends and "the setup ends, the client is registered" or "information of method " .. with_name(reader.index)
end

-- Ends with the object; what comes after a method that is not known cannot be told apart.
local function methods_of(reader, object_end)
  local words = {}
  while reader.position < object_end do
    local range = reader:take(4)
    local index = range:uint()
    if not catalogue[index] then
      local length = object_end - reader.position + 4
      local node = reader:add(field.unknown, reader.tvb(reader.position - 4, length))
      reader:mark(node, "not_in_catalogue", "It begins with method " .. index)
      reader.position = object_end
      table.insert(words, "?" .. index)
      break
    end
    reader:add(field.index, range, nil, "Index of method: " .. with_name(index))
    table.insert(words, information(reader, catalogue[index]))
    if reader.position > object_end then
      reader:refuse("e703", "The information of method " .. index .. " does not fit its client object")
    end
  end
  return table.concat(words, " ")
end

local function is_object_size(size) return size >= 4 and size % 4 == 0 and size <= packet_bytes_ceiling end

-- Asks for all entries before one of them is read: as much at a time as they take at least, so that a large packet of
-- many segments is looked at a few times and not with each of them.
local function measure_entries(reader, kind, count)
  if kind == "R" then return reader:need(4 * count) end
  local smallest, place, first = 8, reader.position, reader.position
  for entry = 1, count do
    local following = (count - entry) * smallest
    if place + 4 > reader.tvb:len() then reader:need(place - first + smallest + following) end
    local size = reader.tvb(place, 4):uint()
    if not is_object_size(size) then return end
    place = place + 4 + size
    if place > reader.tvb:len() then reader:need(place - first + following) end
  end
end

local function added_entry(reader)
  local size_range = reader:take(4)
  local size = size_range:uint()
  if not is_object_size(size) then
    reader:refuse("e703", "The size of a client object is " .. size .. "; a multiple of 4 from 4 to " ..
      packet_bytes_ceiling .. " would be right")
  end
  reader:need(size)
  local object_end = reader.position + size
  local address = tostring(reader.tvb(reader.position, 4):ipv4())
  local node = reader:add(field.client, reader.tvb(reader.position - 4, size + 4))
  local offered = reader:below(node, function()
    reader:add(field.size, size_range)
    reader:add(field.address, reader:take(4))
    return methods_of(reader, object_end)
  end)
  node.text = "Client: " .. address .. (offered ~= "" and " " .. offered or "")
  return address
end

local function removed_entry(reader)
  local range = reader:take(4)
  local address = tostring(range:ipv4())
  local node = reader:add(field.address, range)
  if address == "0.0.0.0" then node.text = "Removed: 0.0.0.0 (forget everyone)" end
  return address
end

function packet.server.update(reader)
  local _, text = timestamp(reader)
  local kind_range = reader:take(1)
  local kind = kind_range:string()
  local node = reader:add(field.kind, kind_range)
  if kind ~= "A" and kind ~= "R" then reader:refuse("e703", "The kind of an update is 'A' or 'R'") end
  node.text = "Kind: " .. (kind == "A" and "'A' added" or "'R' removed")
  local count_range = reader:take(3)
  local count = count_range:uint()
  node = reader:add(field.count, count_range)
  reader.closes = kind == "A" and count == 0
  if reader.closes then return "the answer ends, everything before " .. text .. " is told" end
  local read = kind == "A" and added_entry or removed_entry
  local addresses = {}
  measure_entries(reader, kind, count)
  for entry = 1, count do
    local address = read(reader)
    if entry <= 4 then table.insert(addresses, address) end
  end
  if kind == "R" and count == 1 and addresses[1] == "0.0.0.0" then return "reset, forget everyone" end
  return count .. (kind == "A" and " added" or " removed") .. (count > 0 and ": " or "") ..
    table.concat(addresses, ", ") .. (count > 4 and " ..." or "")
end

-- ---- Stream: what is remembered of a connection ----
--
-- Handshake and heartbeat share the type 'H', as the requests of one side and the updates of the other; which heartbeat
-- an update answers is a matter of order. Wireshark shows frames again in any order, so what the first pass has found
-- out about each packet is kept by frame and place in the frame.

local streams = {}

local tcp_stream = Field.new("tcp.stream")
local tcp_completeness = Field.new("tcp.completeness")

local function stream_of(pinfo)
  local number = tcp_stream().value
  if not streams[number] then
    local completeness = tcp_completeness()
    streams[number] = {
      has_beginning = completeness ~= nil and completeness.value % 2 == 1,  -- its SYN is in the capture
      speaker = tostring(pinfo.src),                                        -- who has sent the first bytes
      heard_client = false,
      requested = {},   -- indices, in order
      responses = 0,
      waiting = {},     -- heartbeats without the end of their answer
      closing = nil,    -- the last closing timestamp
      packets = {},
    }
  end
  return streams[number]
end

-- The port decides, unless both sides have the same one: then the first speaker is the client.
local function is_from_server(stream, pinfo)
  if pinfo.src_port ~= pinfo.dst_port then return pinfo.src_port == pinfo.match end
  return tostring(pinfo.src) ~= stream.speaker
end

-- A capture that begins midway may begin with a heartbeat, which reads like a handshake of no methods: then the lower
-- half of the timestamp stands where the next packet would begin.
local function begins_with_handshake(stream, reader)
  if stream.has_beginning then return true end
  if reader:left() < header_bytes + 4 then error({ missing = header_bytes + 4 - reader:left() }, 0) end
  local upper = reader.tvb(reader.position + 8, 4):uint()
  if upper == 0xffffffff then return false end
  if upper ~= 0 then return true end
  if reader:left() < 16 then error({ missing = 16 - reader:left() }, 0) end
  return reader.tvb:raw(reader.position + 12, 4) == "LEKT"
end

local function name_of(stream, reader)
  local type = header(reader)
  if reader.from_server then return ({ A = "accept", R = "reject", T = "request", H = "update" })[type] end
  if type == "T" then return "response" end
  if type ~= "H" then return nil end
  return not stream.heard_client and begins_with_handshake(stream, reader) and "handshake" or "heartbeat"
end

-- On the first pass, once a packet is complete. Returns what is to be known of it on each pass.
local function remember(stream, reader, name, pinfo)
  local found = { name = name }
  if not reader.from_server then stream.heard_client = true end
  if name == "request" and reader.index ~= 0 then
    table.insert(stream.requested, reader.index)
  elseif name == "response" then
    stream.responses = stream.responses + 1
    found.response = stream.responses
  elseif name == "heartbeat" then
    found.frame, found.time, found.closing = pinfo.number, pinfo.rel_ts, stream.closing
    table.insert(stream.waiting, found)
  elseif name == "update" then
    found.heartbeat = stream.waiting[1]
    if reader.closes then
      stream.closing = tonumber(tostring(reader.tvb(reader.start + 8, 8):int64()))
      if found.heartbeat then
        found.heartbeat.answered_in = pinfo.number
        local nanoseconds = math.floor((pinfo.rel_ts - found.heartbeat.time) * 1e9 + 0.5)
        found.answer_time = NSTime.new(math.floor(nanoseconds / 1e9), nanoseconds % 1e9)
        table.remove(stream.waiting, 1)
      end
    end
  end
  return found
end

-- Adds to the nodes what only the packets before and after can tell.
local function relate(stream, reader, found)
  local generated = {}
  local requested = found.response and stream.requested[found.response]
  if requested and requested ~= reader.index then
    reader:mark(reader.index_node, "e201", "Method " .. requested .. " was requested")
  end
  if found.closing and reader.seconds > found.closing then
    reader:mark(reader.seconds_node, "own_clock",
      "The last closing timestamp was " .. ("%d"):format(found.closing) .. "; a client sends it back, and no time of its own")
  end
  if found.heartbeat then table.insert(generated, { field.heartbeat_in, found.heartbeat.frame }) end
  if found.answered_in then table.insert(generated, { field.answered_in, found.answered_in }) end
  if found.answer_time then table.insert(generated, { field.answer_time, found.answer_time }) end
  return generated
end

-- ---- Showing ----

local function show(tree, nodes)
  for _, node in ipairs(nodes) do
    local item
    if node.value ~= nil then item = tree:add(node.field, node.range, node.value) else item = tree:add(node.field, node.range) end
    if node.text then item:set_text(node.text) end
    for _, wrong in ipairs(node.wrong) do item:add_proto_expert_info(problem[wrong.code], wrong.text) end
    show(item, node.nodes)
  end
end

-- Counts the packets of a frame: Wireshark may call for one frame several times.
local function next_in_frame(pinfo)
  local number = tonumber(pinfo.private["lekt.packets"] or 0) + 1
  pinfo.private["lekt.packets"] = tostring(number)
  return number
end

local function describe(pinfo, number, text)
  if number == 1 then
    pinfo.cols.protocol = "LEKT"
    pinfo.cols.info = text
  else
    pinfo.cols.info:append("; " .. text)
  end
end

local function title(name, words)
  return name:sub(1, 1):upper() .. name:sub(2) .. (words ~= "" and ": " .. words or "")
end

-- What cannot be read ends where the next packet seems to begin.
local function skip(tvb, start)
  local rest = tvb:raw(start + 1)
  local next_packet = rest and rest:find("LEKT", 1, true)
  return next_packet and start + next_packet or tvb:len()
end

-- Reads and shows one packet. Returns where the next one begins; or nothing, and how many bytes are missing.
local function one(tvb, start, pinfo, tree, stream)
  local reader = Reader.new(tvb, start, is_from_server(stream, pinfo))
  local key = function(number) return pinfo.number .. "/" .. number end
  local place = tonumber(pinfo.private["lekt.packets"] or 0) + 1
  local found = stream.packets[key(place)]
  local name, words
  local complete, failure = pcall(function()
    name = found and found.name or name_of(stream, reader)
    if not name then
      reader:refuse("e103", "A packet of type '" .. printable(header(reader)) .. "' is not expected here")
    end
    header(reader)
    version(reader, name)
    words = packet[reader.from_server and "server" or "client"][name](reader)
  end)
  if not complete and type(failure) ~= "table" then error(failure, 0) end  -- a fault of this file
  if not complete and failure.missing and pinfo.can_desegment > 0 then return nil, failure.missing end

  next_in_frame(pinfo)
  local generated = {}
  if complete then
    found = found or remember(stream, reader, name, pinfo)
    stream.packets[key(place)] = found
    generated = relate(stream, reader, found)
  else
    words = failure.missing and "cut off" or failure.text
    reader.position = failure.missing and tvb:len() or skip(tvb, math.max(start, reader.position - 1))
  end
  local text = title(name or "Not understood", words)
  local item = tree:add(lekt, tvb(start, reader.position - start), "LEKT " .. text)
  show(item, reader.nodes)
  if not complete then
    local rest = item:add(field.rest, tvb(start, reader.position - start))
    rest:add_proto_expert_info(problem[failure.missing and "cut_off" or failure.code], failure.text)
  end
  for _, pair in ipairs(generated) do item:add(pair[1], pair[2]):set_generated(true) end
  describe(pinfo, place, text)
  return reader.position
end

function lekt.dissector(tvb, pinfo, tree)
  local stream = stream_of(pinfo)
  local start = 0
  while start < tvb:len() do
    local next_start, missing = one(tvb, start, pinfo, tree, stream)
    if not next_start then
      pinfo.desegment_offset = start
      pinfo.desegment_len = missing
      return tvb:len()
    end
    start = next_start
  end
  return start
end

-- ---- Where it is used ----

local ports = DissectorTable.get("tcp.port")
local registered = lekt.prefs.port
read_catalogue("")
ports:add(registered, lekt)
DissectorTable.get("tls.port"):add_for_decode_as(lekt)

function lekt.prefs_changed()
  read_catalogue(lekt.prefs.catalogue)
  if lekt.prefs.port == registered then return end
  ports:remove(registered, lekt)
  registered = lekt.prefs.port
  ports:add(registered, lekt)
end

-- A capture is opened, or read anew.
function lekt.init() streams = {} end
