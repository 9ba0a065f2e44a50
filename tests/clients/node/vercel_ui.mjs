// npm `ai`, the side of the page: its chat transport and the reader of its UI message stream.
import { DefaultChatTransport, isToolUIPart, getToolName, readUIMessageStream } from "ai";
import { QUESTION } from "./ask.mjs";

const MESSAGES = [{ id: "asked", role: "user", parts: [{ type: "text", text: QUESTION }] }];

export async function chat(url) {
  const transport = new DefaultChatTransport({ api: url + "/api/chat" });
  const asked = { chatId: "chat-1", messages: MESSAGES, trigger: "submit-message", messageId: undefined };
  return read(await transport.sendMessages({ ...asked, abortSignal: undefined }));
}

async function read(parts) {
  const finishes = [];
  const watched = parts.pipeThrough(
    new TransformStream({
      transform(part, controller) {
        if (part.type === "finish") finishes.push(part.finishReason);
        controller.enqueue(part);
      },
    }),
  );
  let message;
  for await (message of readUIMessageStream({ stream: watched, terminateOnError: true }));
  const text = (type) => message.parts.filter((part) => part.type === type).map((part) => part.text).join("");
  return {
    text: text("text"),
    reasoning: text("reasoning"),
    refusal: "",
    sources: message.parts.filter((part) => part.type === "source-url").map(({ url, title }) => ({ url, title })),
    calls: message.parts.filter(isToolUIPart).map(toldCall),
    finish: finishes[0] ?? null,
    usage: null,
  };
}

function toldCall(part) {
  return { id: part.toolCallId, name: getToolName(part), arguments: part.input };
}
