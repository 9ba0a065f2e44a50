"""What litellm reads of a chat: `pip install litellm`."""

import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would ask the network for prices

import litellm

base_url = sys.argv[1].removesuffix("/chat/completions")
messages = [{"role": "user", "content": "Say hello"}]
for chunk in litellm.completion("openai/any", messages, api_base=base_url, api_key="any", stream=True, num_retries=0):
    for choice in chunk.choices:
        print(repr(choice.delta.content), choice.finish_reason)
