// What every SDK is asked to do, and what all their replies are told as.

export const QUESTION = "Say hello, please";

export const TOOL = {
  name: "get_weather",
  description: "The weather in a city",
  schema: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } }, required: ["city"] },
};

export const MOST_RETRIES = 1;

export class Reply {
  text = "";
  reasoning = "";
  refusal = "";
  calls = [];
  finish = null;
  usage = null;
}

/** For clients that do not try again by themselves. */
export async function tryingAgain(act) {
  try {
    return await act();
  } catch {
    return await act();
  }
}
