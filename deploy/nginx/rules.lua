-- Evaluates the rules of a release, {release}/.own-rules.json, whose format syncer/content/rules/compiled.py describes.
-- evaluate.py beside that is the reference: both have to answer alike. Nothing here parses what a tenant wrote, and no
-- pattern of Lua or PCRE is made of it; a path is compared segment by segment.
local function needed(name, package)
    local ok, module = pcall(require, name)
    if not ok then
        error("nginx's Lua needs " .. name .. ": install the package " .. package .. " (or run OpenResty)", 0)
    end
    return module
end

needed("resty.core", "lua-resty-core")
local cjson = needed("cjson.safe", "lua-cjson")
local ffi = require("ffi")
local C, to_string = ffi.C, ffi.string
local var = ngx.var
local byte, char, find, format, gsub, sub = string.byte, string.char, string.find, string.format, string.gsub, string.sub
local concat, sort = table.concat, table.sort

ffi.cdef([[
    int readlink(const char *path, char *buffer, unsigned long size);
    int access(const char *path, int mode);
]])

local FILE, VERSION, ENOENT = "/.own-rules.json", 1, 2
local MAX_FILE_BYTES = 16 * 1024 * 1024
local MAX_CACHED_BYTES = 64 * 1024 * 1024 -- of compiled files, in each worker
local ENTRY_BYTES = 1024 -- what a release without rules counts
local RETRY_SECONDS = 5
local MUST_EXIST, PAGES_ONLY = 1, 2
local LINK_BYTES, MAX_SEGMENTS = 4096, 33
local ACME = "/.well-known/acme-challenge/"
-- They are for a file that is there under the address, and for nothing that answers in its place.
local FILE_HEADERS = { ["cache-control"] = true, ["cdn-cache-control"] = true, ["content-type"] = true }
local IN_PATH, IN_QUERY = "[^A-Za-z0-9%-._~!$&'()*+,;=:@/]", "[^A-Za-z0-9%-._~/:@]"

local M = {}
local link = ffi.new("char[?]", LINK_BYTES)
local live, volume, nowhere
-- Two generations of releases: what is used moves to the young one, and the old one goes as a whole.
local young, old, young_bytes = {}, {}, 0

-- Where the links of the live sites are, below nginx's prefix. nginx's configuration keeps what is returned in a global:
-- `require` for each request would keep LuaJIT from compiling what calls it.
function M.volume(folder)
    live = ngx.config.prefix() .. folder .. "/"
    volume = sub(live, 1, -2):match("^(.*/)")
    nowhere = live .. "-" -- no namespace has this name
    return M
end

local function is_index(index)
    return type(index) == "table" and type(index.entries) == "table" and type(index.exact) == "table"
        and type(index.patterns) == "table" and type(index.depth) == "number"
end

local function read(path)
    local file, reason, code = io.open(path, "rb")
    if not file then
        return nil, code ~= ENOENT and reason
    end
    local content = file:read(MAX_FILE_BYTES + 1)
    file:close()
    if not content or #content > MAX_FILE_BYTES then
        return nil, "it is empty or too large"
    end
    local rules, problem = cjson.decode(content)
    if type(rules) ~= "table" or rules.version ~= VERSION then
        return nil, problem and "it is not JSON" or "it is of another version"
    end
    if not (is_index(rules.redirects) and is_index(rules.headers)) then
        return nil, "it is incomplete"
    end
    return rules, nil, #content
end

-- The release that a link leads to. One whose rules cannot be read is closed: a page without its security headers is
-- worse than no page.
local function load(target)
    local release = { root = volume .. sub(target, 7) }
    local ok, rules, problem, bytes = pcall(read, release.root .. FILE)
    if not ok or problem then
        release.closed_until = ngx.now() + RETRY_SECONDS
        ngx.log(ngx.ERR, "the rules of ", gsub(release.root, "[^A-Za-z0-9/._-]", "?"), " cannot be read, and the site is closed")
        ngx.shared.pages_counts:incr("unreadable", 1, 0)
    end
    if ok and rules then
        release.rules, release.forced = rules, rules.forced
    end
    release.bytes = bytes or ENTRY_BYTES
    return release
end

local function release_at(target)
    local release = young[target]
    if release and not (release.closed_until and release.closed_until < ngx.now()) then
        return release
    end
    if not release then
        release = old[target]
    else
        release = nil
    end
    release = release or load(target)
    young[target], young_bytes = release, young_bytes + release.bytes
    if young_bytes > MAX_CACHED_BYTES / 2 then
        old, young, young_bytes = young, {}, 0
    end
    return release
end

local function is_file(path)
    return C.access(path, 4) == 0 and C.access(path .. "/.", 0) ~= 0
end

-- What nginx would answer at a decoded path, as a path that leads there without a detour; nil where there is nothing.
local function resolve(root, path)
    if find(path, "\0", 1, true) or find(gsub(path, "^/%.well%-known/", "/"), "/.", 1, true) then
        return nil
    end
    if sub(path, -1) == "/" then
        local page = gsub(path, "/+$", "") .. ".html"
        return is_file(root .. path .. "index.html") and path .. "index.html"
            or page ~= ".html" and is_file(root .. page) and page or nil
    end
    local folder, name = path:match("^(.*/)([^/]*)$")
    if sub(name, -3) == ".gz" then
        return is_file(root .. folder .. ".own-" .. name) and path or nil
    elseif is_file(root .. path) then
        return path
    end
    local index, page = path .. "/index.html", path .. ".html"
    if find(name, ".", 1, true) and C.access(root .. path .. "/.", 0) == 0 and is_file(root .. index) then
        return index
    end
    return is_file(root .. page) and page or is_file(root .. index) and index or nil
end

local function encode(text, unsafe)
    return (gsub(text, unsafe, function(each)
        return format("%%%02X", byte(each))
    end))
end

local function decode(text)
    return (gsub(text, "%%(%x%x)", function(hex)
        return char(tonumber(hex, 16))
    end))
end

local function fill(parts, captures, unsafe)
    if type(parts) == "string" then
        return parts
    end
    local filled = {}
    for number, each in ipairs(parts) do
        filled[number] = type(each) == "string" and each or encode(captures[each], unsafe)
    end
    return concat(filled)
end

local function raw_query()
    return var.pages_query or ""
end

-- A path, cut at its slashes: from the left as far as any pattern looks, from the right when one does.
local function cut(path)
    local stripped = gsub(path, "/+$", "")
    local cuts = { path = path, text = stripped, starts = {}, ends = { [0] = 0 }, count = 0, whole = true }
    local from, length = 2, #stripped
    while from <= length do
        if cuts.count == MAX_SEGMENTS then
            cuts.whole = false
            break
        end
        local slash = find(stripped, "/", from, true) or length + 1
        cuts.count = cuts.count + 1
        cuts[cuts.count], cuts.starts[cuts.count], cuts.ends[cuts.count] = sub(stripped, from, slash - 1), from, slash - 1
        from = slash + 1
    end
    return cuts
end

local function right(cuts)
    if not cuts.right then
        local segments, finish = {}, #cuts.text
        while finish > 0 and #segments < MAX_SEGMENTS do
            local start = finish
            while byte(cuts.text, start) ~= 47 do
                start = start - 1
            end
            segments[#segments + 1] = { sub(cuts.text, start + 1, finish), start + 1 }
            finish = start - 1
        end
        cuts.right = segments
    end
    return cuts.right
end

-- Whether a pattern matches, and from where to where its star does.
local function matches(pattern, cuts)
    local head = pattern[2]
    local size = #head
    if cuts.count < size then
        return false
    end
    for number = 1, size do
        local segment = head[number]
        if segment ~= 0 and segment ~= cuts[number] then
            return false
        end
    end
    local before = pattern[3]
    if not before then
        return cuts.whole and cuts.count == size
    end
    local after, tail = pattern[4], pattern[5]
    local start, finish = cuts.starts[size + 1] or #cuts.text + 2, #cuts.text
    if #tail > 0 then
        local ending = right(cuts)
        if #ending < #tail then
            return false
        end
        for number = 1, #tail do
            local segment = tail[#tail - number + 1]
            if segment ~= 0 and segment ~= ending[number][1] then
                return false
            end
        end
        finish = ending[#tail][2] - 2
    end
    if finish < start then
        return before == "" and after == "" and #tail == 0, start, start - 1
    end
    if finish - start + 1 < #before + #after then
        return false
    end
    if before ~= "" and sub(cuts.text, start, start + #before - 1) ~= before then
        return false
    end
    if after ~= "" and sub(cuts.text, finish - #after + 1, finish) ~= after then
        return false
    end
    return true, start + #before, finish - #after
end

local function captured(pattern, cuts)
    local _, start, finish = matches(pattern, cuts)
    local captures = {}
    for number, segment in ipairs(pattern[2]) do
        if segment == 0 then
            captures[#captures + 1] = cuts[number]
        end
    end
    if not pattern[3] then
        return captures
    end
    local splat, tail = sub(cuts.text, start, finish), pattern[5]
    if splat ~= "" and pattern[4] == "" and #tail == 0 and sub(cuts.path, -1) == "/" then
        splat = splat .. "/"
    end
    captures[#captures + 1] = splat
    for number, segment in ipairs(tail) do
        if segment == 0 then
            captures[#captures + 1] = right(cuts)[#tail - number + 1][1]
        end
    end
    return captures
end

-- The values of a rule's query parameters, or nil where one is not as it has to be.
local function parameters(rule, request)
    if not request.args then
        request.args = {}
        for each in (gsub(sub(raw_query(), 2), "+", " ") .. "&"):gmatch("([^&]*)&") do
            local name, value = each:match("^([^=]*)=?(.*)$")
            name = decode(name)
            request.args[name] = request.args[name] or decode(value)
        end
    end
    local values = {}
    for _, each in ipairs(rule[4]) do
        local actual = request.args[each[1]]
        if not actual or type(each[2]) == "string" and actual ~= each[2] then
            return nil
        elseif type(each[2]) ~= "string" then
            values[#values + 1] = actual
        end
    end
    return values
end

local function fits(rule, request)
    return (rule[3] == "" or rule[3] == request.host) and (not rule[4][1] or parameters(rule, request) ~= nil)
end

-- The first rule that matches, and what its placeholders stand for.
local function first_match(index, request)
    local cuts, best, by = request.cuts, nil, nil
    for _, number in ipairs(index.exact[cuts.text] or {}) do
        if fits(index.entries[number], request) then
            best = number
            break
        end
    end
    for depth = 0, math.min(cuts.count, index.depth) do
        for _, pattern in ipairs(index.patterns[sub(cuts.text, 1, cuts.ends[depth])] or {}) do
            if best and pattern[1] > best then
                break
            end
            if matches(pattern, cuts) and fits(index.entries[pattern[1]], request) then
                best, by = pattern[1], pattern
                break
            end
        end
    end
    local rule = best and index.entries[best]
    if not rule then
        return nil
    end
    local captures = by and captured(by, cuts) or {}
    for _, value in ipairs(rule[4][1] and parameters(rule, request) or {}) do
        captures[#captures + 1] = value
    end
    return rule, captures
end

local function request_of(path)
    return { path = path, host = var.host, cuts = cut(path) }
end

local function target_path(rule, captures)
    return (gsub("/" .. decode(fill(rule[7], captures, IN_PATH)), "/+", "/"))
end

local function is_redirect(rule)
    return rule[1] > 300 and rule[1] < 400
end

-- The rule that answers. One that would lead to itself does not, nor one that might and leads to nothing.
local function find_rule(release, request)
    if sub(request.path .. "/", 1, #ACME) == ACME then
        return nil
    end
    local rule, captures = first_match(release.rules.redirects, request)
    if not rule or not is_redirect(rule) then
        return rule, captures
    end
    local target = target_path(rule, captures)
    if rule[6] == "" and gsub(target, "/+$", "") == request.cuts.text then
        return nil
    end
    if rule[5] == MUST_EXIST and not resolve(release.root, target) then
        return nil
    end
    return rule, captures
end

-- The same, remembered: nginx asks once before the files and once where there is none.
local last = {}
local function rule_for(release, request)
    local query = raw_query()
    if last.release ~= release or last.path ~= request.path or last.host ~= request.host or last.query ~= query then
        local rule, captures = find_rule(release, request)
        last = { release = release, path = request.path, host = request.host, query = query, rule = rule, captures = captures }
    end
    return last.rule, last.captures
end

local function location(rule, captures, prefix)
    local path = fill(rule[7], captures, IN_PATH)
    local address = rule[6] == "" and prefix .. "/" .. gsub(path, "^/+", "") or rule[6] .. path
    if rule[8] ~= "" then
        address = address .. "?" .. fill(rule[8], captures, IN_QUERY)
    elseif not rule[4][1] then
        address = address .. raw_query()
    end
    return rule[9] == "" and address or address .. "#" .. fill(rule[9], captures, IN_QUERY)
end

local function nearest_error_page(root, path)
    local folders = {}
    for folder in path:gmatch("/([^/]*)") do
        folders[#folders + 1] = folder
    end
    for depth = math.min(#folders - 1, 3), 0, -1 do
        local page = (depth > 0 and "/" or "") .. concat(folders, "/", 1, depth) .. "/404.html"
        if is_file(root .. page) then
            return page
        end
    end
    return "/-"
end

local function fail(status, page)
    var.pages_error_page = page
    return ngx.exit(status)
end

-- `pages why` asks which line answered. A site cannot set this header itself.
local function name_rule(rule)
    if var.http_x_pages_explain then
        ngx.header["X-Pages-Rule"] = rule[10]
    end
end

local function act(release, request, rule, captures)
    local status = rule[1]
    name_rule(rule)
    if is_redirect(rule) then
        return ngx.redirect(location(rule, captures, var.pages_prefix or ""), status)
    end
    ngx.header["Location"] = nil -- nginx's own, of a folder
    local page = resolve(release.root, target_path(rule, captures))
    if status ~= 200 then
        return fail(status, page or nearest_error_page(release.root, request.path))
    end
    if rule[5] == PAGES_ONLY and var.pages_single_page == "/-" or not page then
        return fail(404, nearest_error_page(release.root, request.path))
    end
    var.pages_way = ""
    return ngx.exec(encode(page, IN_PATH))
end

-- The path below an alias's home, also where it has the prefix of the home already.
local function below(home, path)
    local prefix = home:match("^https?://[^/]*(/.*)$")
    if prefix and sub(path .. "/", 1, #prefix + 1) == prefix .. "/" then
        path = sub(path, #prefix + 1)
        return path == "" and "/" or path
    end
    return path
end

local function prepare(release, path)
    if release.closed_until then
        var.pages_way = "/.pages/closed"
        return
    end
    local home = var.pages_home
    if home and home ~= "" then
        path = below(home, path)
        if sub(path .. "/", 1, #ACME) ~= ACME then
            var.pages_way = "/.pages/alias"
        end
    end
    if release.rules then
        var.pages_path = path
        if release.forced and not (home and home ~= "") then
            local rule = rule_for(release, request_of(path))
            if rule and rule[2] == 1 then
                var.pages_way = "/.pages/rule"
            end
        end
    end
end

-- The release, whose folder is the root of all that nginx does for this request, whatever goes live meanwhile.
local function release_of(site)
    local length = C.readlink(live .. site, link, LINK_BYTES)
    if length < 7 or length == LINK_BYTES then
        return nil
    end
    return release_at(to_string(link, length))
end

-- Each request begins here, once its path and its site are checked. Returns the root.
function M.enter()
    local site = var.http_x_pages_site
    local release = release_of(site)
    if not release then
        return nowhere
    end
    local uri = var.uri
    if #uri == #site + 1 then
        var.pages_way = "/.pages/slash"
    elseif release.rules or release.closed_until or var.http_x_pages_home then
        prepare(release, sub(uri, #site + 2))
    end
    return release.root
end

-- The root of a request that is refused: its site's error page answers.
function M.refused()
    local release = release_of(var.pages_site_of_error)
    return release and not release.closed_until and release.root or nowhere
end

local function current()
    return release_at("../../" .. sub(var.pages_root, #volume + 1))
end

-- A rule that comes before the files; passwords are checked by now.
function M.rule()
    local release, request = current(), request_of(var.pages_path)
    if not release.rules then
        return ngx.exit(503)
    end
    ngx.req.set_uri(request.path, false, true) -- which tells whether a page is requested; binary, as it may hold CR and LF
    local rule, captures = rule_for(release, request)
    return act(release, request, rule, captures)
end

function M.alias()
    local release, home, path = current(), var.pages_home, var.pages_path
    local port = (var.http_host or ""):match(":%d+$")
    if port and not home:find("^https?://[^/]*:") then
        home = gsub(home, "^https?://[^/]*", "%0" .. port)
    end
    if release.rules then
        local request = request_of(path)
        local rule, captures = rule_for(release, request)
        if rule and is_redirect(rule) and (rule[2] == 1 or not resolve(release.root, path)) then
            name_rule(rule)
            return ngx.redirect(location(rule, captures, home), rule[1])
        end
    end
    local raw = gsub("/" .. (var.pages_rest or ""), "^/+", "/")
    return ngx.redirect(home .. below(home, raw) .. raw_query(), 301)
end

-- There is no file: a rule may answer. Else nginx goes on.
function M.missing()
    local path = var.pages_path
    if not path or path == "" or is_file(var.pages_root .. var.uri .. ".html") then
        return
    end
    local release, request = current(), request_of(path)
    if not release.rules then
        return ngx.exit(503)
    end
    local rule, captures = rule_for(release, request)
    if rule then
        return act(release, request, rule, captures)
    end
end

-- A folder without its slash; where it has no page, a rule may answer.
function M.slash()
    local path = var.pages_path
    if path and path ~= "" and not resolve(var.pages_root, path) then
        M.missing()
    end
    return ngx.redirect(var.pages_prefix .. "/" .. var.pages_folder .. raw_query(), 301)
end

local function matching_blocks(index, request)
    local cuts, numbers = request.cuts, {}
    for _, number in ipairs(index.exact[cuts.text] or {}) do
        numbers[#numbers + 1] = number
    end
    for depth = 0, math.min(cuts.count, index.depth) do
        for _, pattern in ipairs(index.patterns[sub(cuts.text, 1, cuts.ends[depth])] or {}) do
            if matches(pattern, cuts) then
                numbers[#numbers + 1] = pattern[1]
            end
        end
    end
    sort(numbers)
    return numbers
end

local function is_own_file(path)
    local status, uri = ngx.status, var.uri
    return (status == 200 or status == 206 or status == 304)
        and (uri == path or uri == path .. ".html" or uri == path .. "index.html" or uri == gsub(path, "([^/]*)$", ".own-%1", 1))
end

local function set(name, value)
    if name == "cache-control" then
        var.pages_cache_control = value
    elseif name == "referrer-policy" then
        var.pages_referrer_policy = value
    elseif name == "x-content-type-options" then
        var.pages_content_type_options = value
    elseif not (name == "content-type" and ngx.status == 304) then
        ngx.header[name] = value ~= "" and value or nil
    end
end

-- The headers of every answer of a site with rules.
function M.headers()
    local path = var.pages_path
    if not path or path == "" then
        return
    end
    local release = current()
    if not release.rules then
        return
    end
    local own, request, index = is_own_file(path), request_of(path), release.rules.headers
    local values, names = { [0] = {}, {} }, {}
    if ngx.status < 300 or ngx.status == 304 then
        var.pages_ruled = "1"
        if own then
            var.pages_cache_control = var.pages_cache_of_name
        end
    end
    for _, number in ipairs(matching_blocks(index, request)) do
        local block = index.entries[number]
        local mine = values[block[2]]
        for _, op in ipairs((block[1] == "" or block[1] == request.host) and block[3] or {}) do
            local name, value = op[1]:lower(), op[2]
            if own or not FILE_HEADERS[name] then
                if not value then
                    values[0][name], values[1][name] = nil, nil
                else
                    mine[name] = mine[name] and mine[name] .. ", " .. value or value
                end
                names[name] = op[1]
            end
        end
    end
    for name in pairs(names) do
        set(name, values[1][name] or values[0][name] or "")
    end
end

return M
