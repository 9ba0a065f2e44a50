// npm `@ag-ui/client`: HttpAgent, which checks every event and their order.
import { HttpAgent } from "@ag-ui/client";
import { QUESTION, TOOL, tryingAgain } from "./ask.mjs";

const TOOLS = [{ name: TOOL.name, description: TOOL.description, parameters: TOOL.schema }];

export async function run(url) {
  const agent = new HttpAgent({ url: url + "/agent", threadId: "thread-1" });
  agent.messages = [{ id: "asked", role: "user", content: QUESTION }];
  const reasoning = [];
  const { newMessages } = await agent.runAgent(
    { runId: "run-1", tools: TOOLS },
    {
      onReasoningMessageContentEvent: ({ event }) => void reasoning.push(event.delta),
      onRunErrorEvent({ event }) {
        throw Object.assign(new Error(event.message), { status: null });
      },
    },
  );
  const assistant = newMessages.filter((message) => message.role === "assistant");
  return {
    text: assistant.map((message) => message.content ?? "").join(""),
    reasoning: reasoning.join(""),
    refusal: "",
    calls: assistant.flatMap((message) => message.toolCalls ?? []).map(toldCall),
    finish: null,
    usage: null,
  };
}

export function runAgain(url) {
  return tryingAgain(() => run(url));
}

function toldCall({ id, function: called }) {
  return { id, name: called.name, arguments: JSON.parse(called.arguments) };
}
