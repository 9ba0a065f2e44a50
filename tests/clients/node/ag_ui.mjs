// npm `@ag-ui/client`: HttpAgent, which checks every event and their order.
import { HttpAgent } from "@ag-ui/client";
import { QUESTION, TOOLS } from "./ask.mjs";

export async function run(url) {
  const agent = new HttpAgent({ url: url + "/agent", threadId: "thread-1" });
  agent.messages = [{ id: "asked", role: "user", content: QUESTION }];
  const reasoning = [];
  const errors = [];
  const usages = [];
  const { newMessages } = await agent.runAgent(
    { runId: "run-1", tools: TOOLS.map(({ name, description, schema }) => ({ name, description, parameters: schema })) },
    {
      onReasoningMessageContentEvent: ({ event }) => void reasoning.push(event.delta),
      onRunFinishedEvent: ({ event }) => void usages.push(...(event.usage ?? [])),
      onRunErrorEvent: ({ event }) => void errors.push(event.message),
    },
  );
  if (errors.length) throw new Error(errors[0]);
  const assistant = newMessages.filter((message) => message.role === "assistant");
  return {
    text: assistant.map((message) => message.content ?? "").join(""),
    reasoning: reasoning.join(""),
    refusal: "",
    calls: assistant.flatMap((message) => message.toolCalls ?? []).map(toldCall),
    finish: null,
    usage: usages.map(({ inputTokens, outputTokens }) => ({ input: inputTokens, output: outputTokens }))[0] ?? null,
  };
}

function toldCall({ id, function: called }) {
  return { id, name: called.name, arguments: JSON.parse(called.arguments) };
}
