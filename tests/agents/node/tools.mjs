// The tools that frameworks are given. What they are called with is written to the file that `JOB_CALLS` names.

import { appendFileSync } from "node:fs";

const { JOB_CALLS, JOB_RAIN, JOB_STATION } = process.env;

function note(name, argument) {
  appendFileSync(JOB_CALLS, JSON.stringify([name, argument]) + "\n");
}

export function findStation(place) {
  note("find_station", place);
  return JOB_STATION;
}

export function readRain(station) {
  note("read_rain", station);
  return JOB_RAIN;
}

// What `work` returns. If it fails, it is tried once more, as a user would, if `JOB_ATTEMPTS` says so.
export async function attempted(work) {
  for (let left = Number(process.env.JOB_ATTEMPTS) - 1; ; left--) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) {
        throw error;
      }
      console.error(error);
    }
  }
}
