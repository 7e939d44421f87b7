// Times: the server writes UTC, the reader sees the zone of the browser, and UTC on hover.

const twoDigits = (number) => String(number).padStart(2, "0");

/** An instant as `2026-11-26 16:18` in the browser's zone. */
const localTime = (instant) => {
  const date = [instant.getFullYear(), twoDigits(instant.getMonth() + 1), twoDigits(instant.getDate())].join("-");
  return `${date} ${twoDigits(instant.getHours())}:${twoDigits(instant.getMinutes())}`;
};

/** Rewrites every <time> below an element. */
const localiseTimes = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const instant = new Date(time.dateTime);
    if (Number.isNaN(instant.getTime())) continue;
    time.title = time.title || time.textContent;
    time.textContent = localTime(instant);
  }
};

localiseTimes(document);
