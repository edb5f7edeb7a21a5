-- The protocol of hand-held terminals for Wireshark and tshark. docs/wireshark.md says how to use it,
-- docs/device-protocol.md what the bytes mean.
--
-- A datagram is complete or malformed: what can be read is shown, and what is wrong is marked with the code that the
-- server counts or gives for it (lekt_device.e916 is E916; docs/errors.md). The letter M means a screen towards the device
-- and an input towards the server, so the ports of servers are remembered from the datagrams that only one side sends.

local device = Proto("lekt_device", "LEKT device")

local header_bytes = 24
local datagram_bytes_max = 1152
local request_bytes = 64

device.prefs.port = Pref.range("UDP contact ports", "3006", "Ports of --device-listen. Dedicated ports are recognised.", 65535)

-- ---- Fields and what can be wrong with them ----

local function name(last) return "lekt_device." .. last end

local field = {
  type = ProtoField.char(name("type"), "Type", base.OCT),
  packet = ProtoField.string(name("packet"), "Datagram"),
  major = ProtoField.uint8(name("version.major"), "Major"),
  minor = ProtoField.uint8(name("version.minor"), "Minor"),
  extra = ProtoField.uint8(name("version.extra"), "Extra (bit 0: DTLS)", base.HEX),
  registration = ProtoField.uint64(name("registration"), "Registration", base.HEX),
  number = ProtoField.uint32(name("number"), "Number"),
  acknowledged = ProtoField.uint32(name("acknowledged"), "Acknowledged"),
  code = ProtoField.uint32(name("code"), "Code"),
  text = ProtoField.string(name("text"), "Text"),
  zeros = ProtoField.bytes(name("zeros"), "Zeros, not looked at"),
  port = ProtoField.uint16(name("port"), "Dedicated port"),
  token = ProtoField.bytes(name("token"), "Token"),
  ticket = ProtoField.bytes(name("ticket"), "Ticket"),
  string = ProtoField.string(name("string"), "String"),
  device_type = ProtoField.string(name("string.type"), "Type of device"),
  uid = ProtoField.string(name("string.uid"), "Uid"),
  input = ProtoField.uint32(name("input"), "Input"),
  rule = ProtoField.uint32(name("rule"), "Rule"),
  value = ProtoField.uint32(name("rule.value"), "Value"),
  seconds = ProtoField.int64(name("time.seconds"), "Unix seconds"),
  milliseconds = ProtoField.uint32(name("time.milliseconds"), "Milliseconds"),
  zone = ProtoField.int32(name("time.zone"), "Seconds east of UTC"),
  item = ProtoField.string(name("item"), "Item"),
  rest = ProtoField.bytes(name("rest"), "Not understood"),
}
device.fields = field

local problem = {
  e101 = ProtoExpert.new(name("e101"), "The version is not supported", expert.group.PROTOCOL, expert.severity.ERROR),
  e907 = ProtoExpert.new(name("e907"), "The device string cannot be used", expert.group.PROTOCOL, expert.severity.ERROR),
  e916 = ProtoExpert.new(name("e916"), "The datagram breaks a rule", expert.group.MALFORMED, expert.severity.ERROR),
  failure = ProtoExpert.new(name("failure"), "The server refuses or ends", expert.group.PROTOCOL, expert.severity.NOTE),
}
device.experts = problem

local function printable(text)
  return (text:gsub("%c", function(character) return ("\\x%02x"):format(character:byte()) end))
end

-- ---- Reader: a cursor that leaves the body when bytes are missing or make no sense ----

local Reader = {}
Reader.__index = Reader

function Reader:left() return self.tvb:len() - self.position end

function Reader:refuse(text) error({ text = text }, 0) end

function Reader:take(count)
  if self:left() < count then self:refuse("The datagram ends within a field") end
  self.position = self.position + count
  return self.tvb(self.position - count, count)
end

function Reader:u8() return self:take(1):uint() end

function Reader:add(what, count, text)
  local range = self:take(count)
  local item = self.tree:add(what, range)
  if text then item:append_text(text) end
  return range, item
end

-- ---- Items of screens and inputs ----

local function text_of(reader)
  local length = reader:u8()
  if length == 0 then reader:refuse("A text has 1 to 255 bytes") end
  return '"' .. printable(reader:take(length):string(ENC_UTF_8)) .. '"'
end

local function cell_of(reader) return "row " .. reader:u8() .. ", column " .. reader:u8() end

local screen_items = {
  [1] = function(reader) return "size: rows " .. reader:u8() .. ", columns " .. reader:u8() end,
  [2] = function(reader)
    return ("style: flags 0x%02x, foreground %d, background %d"):format(reader:u8(), reader:u8(), reader:u8())
  end,
  [3] = function(reader) return "text: " .. cell_of(reader) .. ", " .. text_of(reader) end,
  [4] = function(reader) return "blanks: " .. cell_of(reader) .. ", count " .. reader:u8() end,
  [5] = function(reader)
    local cell, shown = cell_of(reader), reader:u8()
    if shown > 1 then reader:refuse("A cursor is shown (1) or not (0), not " .. shown) end
    return "cursor: " .. cell .. (shown == 1 and ", shown" or ", hidden")
  end,
  [6] = function() return "bell" end,
}

local input_items = {
  [1] = function(reader) return "text: " .. text_of(reader) end,
  [2] = function(reader) return "key: " .. reader:u8() .. ", modifiers " .. reader:u8() end,
  [3] = function(reader) return ("chord: modifiers %d, U+%04X"):format(reader:u8(), reader:take(4):uint()) end,
}

local function read_items(reader, known)
  local count = 0
  while reader:left() > 0 do
    local start = reader.position
    local kind = reader:u8()
    if not known[kind] then reader:refuse("Item " .. kind .. " is not known") end
    local words = known[kind](reader)
    reader.tree:add(field.item, reader.tvb(start, reader.position - start), words)
    count = count + 1
  end
  return count .. (count == 1 and " item" or " items")
end

-- ---- Bodies: each returns what stands in the column Info ----

local function zeros(reader) reader:add(field.zeros, reader:left()) end

local function device_string(reader)
  if reader:left() < 1 or reader:left() > 1024 then reader:refuse("The string has 1 to 1024 bytes") end
  local range, item = reader:add(field.string, reader:left())
  local text = range:string()
  if text:find("[^\x20-\x7e]") then reader:refuse("The bytes of the string are 0x20 to 0x7e") end
  local fields = {}
  for part in text:gmatch("([^~]*)~") do table.insert(fields, part) end
  if #fields < 13 then
    item:add_proto_expert_info(problem.e907, #fields .. " fields that end with '~'; at least 13 are needed")
    return "string of " .. #fields .. " fields"
  end
  item:add(field.device_type, range, fields[5])
  item:add(field.uid, range, fields[13])
  return "uid " .. fields[13] .. ", " .. fields[5] .. ", screen " .. fields[6] .. "x" .. fields[7]
end

local to_server, to_device = "to server", "to device"

local function none() return "" end

-- By letter: name, direction if it has only one, whether it is numbered, body.
local datagram = {
  C = { "connection request (1)", to_server, false, function(reader) zeros(reader) return "" end },
  P = { "connection accept (2)", to_device, false, function(reader)
    local range = reader:add(field.port, 2)
    reader:add(field.zeros, 2)
    reader:add(field.token, 16)
    if range:uint() == 0 then reader:refuse("The port is 0; 1 to 65535 would be right") end
    return "Register Port " .. range:uint()
  end },
  G = { "registration request (3)", to_server, false, function(reader)
    reader:add(field.token, 16)
    zeros(reader)
    return ""
  end },
  Y = { "registration accept (4)", to_device, false, none },
  Q = { "getDeviceConfig (5)", to_device, true, none },
  D = { "device config (6)", to_server, true, function(reader)
    reader:add(field.ticket, 16)
    return device_string(reader)
  end },
  S = { "setDeviceConfig (7)", to_device, true, function(reader)
    reader:add(field.ticket, 16)
    local input, count = reader:add(field.input, 4), 0
    while reader:left() > 0 do
      reader:add(field.rule, 4)
      reader:add(field.value, 4)
      count = count + 1
    end
    return "input accepted " .. input:uint() .. ", " .. count .. " rules"
  end },
  E = { "espSetTime (8)", to_device, true, function(reader)
    reader:add(field.seconds, 8)
    local milliseconds = reader:add(field.milliseconds, 4):uint()
    local zone = reader:add(field.zone, 4):int()
    if milliseconds > 999 then reader:refuse(milliseconds .. " milliseconds; 0 to 999 would be right") end
    if math.abs(zone) > 86400 then reader:refuse("Zone " .. zone .. "; -86400 to 86400 would be right") end
    return ""
  end },
  M = { "message", nil, true, function(reader, direction)
    if direction == to_device then return "screen, " .. read_items(reader, screen_items) end
    local input = reader:add(field.input, 4):uint()
    return "input " .. input .. ", " .. read_items(reader, input_items)
  end },
  N = { "acknowledgment", nil, false, none },
  B = { "bye", to_server, false, none },
  F = { "failure", to_device, nil, function(reader)
    if reader:left() == 0 then return "" end
    return printable(reader:add(field.text, reader:left()):string(ENC_UTF_8))
  end },
}

-- ---- Which side is the server ----

local servers = {}  -- "address port" of whoever sends what only servers send

local function direction_of(kind, pinfo)
  local source = tostring(pinfo.src) .. " " .. pinfo.src_port
  local receiver = tostring(pinfo.dst) .. " " .. pinfo.dst_port
  local only = datagram[kind][2]
  if only then servers[only == to_device and source or receiver] = true end
  if only or servers[source] ~= servers[receiver] then return only or (servers[source] and to_device or to_server) end
  return pinfo.src_port >= 5000 and pinfo.src_port <= 6000 and to_device or to_server
end

-- ---- One datagram ----

local function read_header(reader, item)
  local kind = reader.tvb:raw(4, 1)
  local found = datagram[kind]
  reader.position = 4
  reader:add(field.type, 1)
  if not found then reader:refuse("A datagram of type '" .. printable(kind) .. "' is not known") end
  item:add(field.packet, reader.tvb(4, 1), found[1])
  local major = reader:add(field.major, 1):uint()
  local minor = reader:add(field.minor, 1):uint()
  reader:add(field.extra, 1)
  if kind == "C" and (major ~= 0 or minor ~= 0) then
    item:add_proto_expert_info(problem.e101, "Version " .. major .. "." .. minor .. "; 0.0 would be right")
  end
  local registration = reader:add(field.registration, 8):uint64()
  if kind == "F" then
    local range, code_item = reader:add(field.code, 4)
    code_item:add_proto_expert_info(problem.failure, "E" .. range:uint())
    reader.code = " E" .. range:uint()
  else
    reader.number = reader:add(field.number, 4):uint()
  end
  reader:add(field.acknowledged, 4)
  if registration == UInt64(0) then reader:refuse("The registration is 0") end
  if reader.number and (reader.number > 0) ~= found[3] then
    reader:refuse(found[3] and "This datagram has a number from 1 on" or "This datagram has no number, which is 0")
  end
  if (kind == "C" or kind == "G") and reader.tvb:len() ~= request_bytes then
    reader:refuse(reader.tvb:len() .. " bytes; exactly " .. request_bytes .. " would be right")
  end
  return kind, found
end

function device.dissector(tvb, pinfo, tree)
  pinfo.cols.protocol = "LEKT device"
  local item = tree:add(device, tvb())
  local reader = setmetatable({ tvb = tvb, tree = item, position = 0 }, Reader)
  local title = "Not understood"
  local complete, result = pcall(function()
    if tvb:raw(0, math.min(4, tvb:len())) ~= "LEKT" then reader:refuse('Every datagram begins with "LEKT"') end
    if tvb:len() < header_bytes then reader:refuse(tvb:len() .. " bytes; at least " .. header_bytes .. " are needed") end
    if tvb:len() > datagram_bytes_max then reader:refuse(tvb:len() .. " bytes; at most " .. datagram_bytes_max .. " are allowed") end
    local kind, found = read_header(reader, item)
    title = found[1]:sub(1, 1):upper() .. found[1]:sub(2) .. (reader.code or "")
    local words = found[4](reader, direction_of(kind, pinfo))
    if reader:left() > 0 then reader:refuse(reader:left() .. " bytes too many") end
    return words
  end)
  if not complete and type(result) ~= "table" then error(result, 0) end  -- a fault of this file
  local words = complete and result or result.text
  if not complete then
    local at = math.min(reader.position, tvb:len())
    local rest = at < tvb:len() and item:add(field.rest, tvb(at)) or item
    rest:add_proto_expert_info(problem.e916, words)
  end
  local info = title .. (words ~= "" and ": " .. words or "")
  item:set_text("LEKT device, " .. info)
  pinfo.cols.info = info
  return tvb:len()
end

-- ---- Where it is used ----

local function is_ours(tvb, pinfo, tree)
  if tvb:len() < header_bytes or tvb:raw(0, 4) ~= "LEKT" or not datagram[tvb:raw(4, 1)] then return false end
  device.dissector(tvb, pinfo, tree)
  return true
end

local ports = DissectorTable.get("udp.port")
local registered = device.prefs.port
ports:add(registered, device)
device:register_heuristic("udp", is_ours)

function device.prefs_changed()
  if device.prefs.port == registered then return end
  ports:remove(registered, device)
  registered = device.prefs.port
  ports:add(registered, device)
end

-- A capture is opened, or read anew.
function device.init() servers = {} end
