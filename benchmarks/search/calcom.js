// cal.com's own functions on the case in argv[3]; the unpacked package is in argv[2].
// What the functions need of the rest of cal.com is a stub: the scheduling types, the name of the
// group of ungrouped hosts, the zone of a date, and a wrapper that only reports.
"use strict";
const fs = require("fs");
const path = require("path");
const Module = require("module");
const { performance } = require("perf_hooks");

const [folder, input] = process.argv.slice(2);
const dist = path.join(folder, "package", "dist");
const found = (start) => fs.readdirSync(dist).find((n) => n.startsWith(start) && n.endsWith(".cjs"));
const dayjs = require(path.join(folder, "dayjs", "package"));
for (const name of ["utc", "timezone", "isBetween", "minMax"]) {
  dayjs.extend(require(path.join(folder, "dayjs", "package", "plugin", name)));
}
const known = {
  withReporting: (run) => run,
  SchedulingType: { COLLECTIVE: "COLLECTIVE", ROUND_ROBIN: "ROUND_ROBIN", MANAGED: "MANAGED" },
  DEFAULT_GROUP_ID: "default_group_id",
  getTimeZone: (date) => date?.["$x"]?.["$timezone"] ?? "UTC",
};
const stub = new Proxy(function () {}, {
  get: (_, name) => (name in known ? known[name] : name === Symbol.toPrimitive ? () => "" : stub),
  apply: () => stub,
  construct: () => ({}),
});
const load = Module._load;
Module._load = function (name, ...rest) {
  if (name === "dayjs") return dayjs;
  const base = path.basename(name);
  if (base.startsWith("date-ranges-") || !rest[0]?.filename?.startsWith(dist)) {
    return load.call(this, name, ...rest);
  }
  return stub;
};
const source = fs.readFileSync(path.join(dist, "slots.cjs"), "utf8");
const slots = new Module(path.join(dist, "slots.cjs"));
slots.filename = path.join(dist, "slots.cjs");
slots.paths = [];
slots._compile(source + "\nexports.calls = { getSlots$1, getAggregatedAvailability };", slots.filename);
const { getSlots$1, getAggregatedAvailability } = slots.exports.calls;
const { buildDateRanges, subtract } = require(path.join(dist, found("date-ranges-")));

const given = JSON.parse(fs.readFileSync(input, "utf8"));
const clock = (minute) => new Date(Date.UTC(1970, 0, 1, 0, minute));
const dateFrom = dayjs(given.from).tz(given.zone);
const dateTo = dayjs(given.to).tz(given.zone);
const range = ([start, end]) => ({ start: dayjs(start), end: dayjs(end) });

function ranges() {
  return given.hosts.map((host) => {
    const availability = [
      { days: host.days, startTime: clock(host.start), endTime: clock(host.end) },
    ];
    const args = { availability, timeZone: given.zone, dateFrom, dateTo, travelSchedules: [] };
    const free = buildDateRanges(args).dateRanges;
    const dateRanges = subtract(free, host.busy.map(range));
    return { dateRanges, oooExcludedDateRanges: dateRanges, user: { isFixed: false } };
  });
}

function search(hosts) {
  return getSlots$1({
    inviteeDate: dateFrom,
    frequency: given.raster,
    minimumBookingNotice: -1e7, // its own clock is the real one: all of the case lies later
    dateRanges: getAggregatedAvailability(hosts, "ROUND_ROBIN"),
    eventLength: given.minutes,
  });
}

const times = { ranges_us: [], slots_us: [] };
let answer;
for (let round = 0; round < given.rounds; round++) {
  const begin = performance.now();
  const hosts = ranges();
  const between = performance.now();
  answer = search(hosts);
  times.ranges_us.push(1e3 * (between - begin));
  times.slots_us.push(1e3 * (performance.now() - between));
}
console.log(JSON.stringify({ starts: answer.map((s) => s.time.valueOf()), ...times }));
