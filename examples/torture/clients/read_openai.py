"""What openai-python reads of a chat: `pip install openai`."""

import sys

from openai import OpenAI

base_url = sys.argv[1].removesuffix("/chat/completions")
with OpenAI(base_url=base_url, api_key="any", max_retries=0) as client:
    messages = [{"role": "user", "content": "Say hello"}]
    for chunk in client.chat.completions.create(model="any", messages=messages, stream=True):
        for choice in chunk.choices:
            print(repr(choice.delta.content), choice.finish_reason)
