// A chat whose tools run in the page. What failed is asked for again when the button is pressed.

import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls } from "ai";
import { createRoot } from "react-dom/client";

const { url, task } = Object.fromEntries(new URLSearchParams(location.search));

function Chat() {
  const chat = useChat({
    transport: new DefaultChatTransport({ api: `${url}/vercel/api/chat` }),
    sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls,
    async onToolCall({ toolCall }) {
      const { toolName: tool, toolCallId, input } = toolCall;
      const output = await window[tool](...Object.values(input));
      chat.addToolOutput({ tool, toolCallId, output });
    },
  });
  const said = chat.messages.flatMap(({ role, parts }) => (role === "assistant" ? parts : []));
  const text = said.map((part) => (part.type === "text" ? part.text : "")).join("");
  return (
    <>
      <button id="ask" onClick={() => chat.sendMessage({ text: task })}>Ask</button>
      {chat.status === "error" && <button id="again" onClick={() => chat.regenerate()}>Again</button>}
      {chat.status === "ready" && text && <p id="done">{text}</p>}
    </>
  );
}

createRoot(document.body.appendChild(document.createElement("main"))).render(<Chat />);
