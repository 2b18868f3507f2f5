-- No-drop and partial-drop rate by the search of RFC 2544 26.1, for Pktgen-DPDK:
--   pktgen -l 0-2 -n 4 -- -P -m "1.0, 2.1" -f ndr.lua
-- Port 0 sends, port 1 counts. The rate is in percent of line rate, which is what Pktgen sets.
--   lua ndr.lua --self-test      tests the search against a device that is a function

local SIZE = 64            -- bytes of frame with FCS
local LOSS = 0.0           -- share that may be lost: 0 is the NDR
local RESOLUTION = 0.5     -- percent of line rate
local TRIAL_MS = 10000     -- RFC 2544 24 wants 60 s for the last one
local SETTLE_MS = 2000

-- The highest rate in (0, 100] that passes; nil if the lowest does not. `trial(rate)` returns
-- frames sent and frames received.
local function search(trial, loss, resolution)
    local function passes(rate)
        local sent, received = trial(rate)
        return sent > 0 and (sent - received) / sent <= loss
    end
    local low, high = resolution, 100.0
    if passes(high) then return high end
    if not passes(low) then return nil end
    while high - low > resolution do
        local middle = (low + high) / 2
        if passes(middle) then low = middle else high = middle end
    end
    return low
end

local function self_test()
    for _, limit in ipairs { 3.0, 37.5, 99.0 } do
        local device = function(rate) return rate * 1000, math.min(rate, limit) * 1000 end
        local found = search(device, 0.0, 0.5)
        assert(found and found <= limit and limit - found <= 0.5, tostring(found))
    end
    assert(search(function(rate) return rate, rate end, 0, 0.5) == 100.0)
    assert(search(function(rate) return rate, 0 end, 0, 0.5) == nil)
    print("the search is right")
end

if arg and arg[1] == "--self-test" then return self_test() end

local function counters(port, name)
    return pktgen.portStats("all", "port")[port][name]
end

local function trial(rate)
    pktgen.clear("all")
    pktgen.set("0", "rate", rate)
    pktgen.start("0")
    pktgen.delay(TRIAL_MS)
    pktgen.stop("0")
    pktgen.delay(SETTLE_MS)
    local sent, received = counters(0, "opackets"), counters(1, "ipackets")
    printf("%6.2f %% of line rate: %d sent, %d received\n", rate, sent, received)
    return sent, received
end

package.path = package.path .. ";?.lua;test/?.lua;app/?.lua"
require "Pktgen"
pktgen.set("0", "size", SIZE)
pktgen.set_proto("0", "udp")
pktgen.set_type("0", "ipv4")
pktgen.set_ipaddr("0", "src", "198.18.0.2/24")
pktgen.set_ipaddr("0", "dst", "198.18.1.2")
pktgen.set("0", "sport", 1024)
pktgen.set("0", "dport", 4000)
local found = search(trial, LOSS, RESOLUTION)
if found then
    printf("highest rate with at most %.4f lost: %.2f %% of line rate at %d B\n", LOSS, found, SIZE)
else
    printf("even %.2f %% of line rate loses more than %.4f\n", RESOLUTION, LOSS)
end
pktgen.quit()
