"""DSPy's JSON adapter gets fields out of a model: by a schema, or by what stands in the prompt."""

import os
from typing import Literal

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import dspy  # it reads the variable


class _Question(dspy.Signature):
    """Answer questions about the weather."""

    question: str = dspy.InputField()
    answer: str = dspy.OutputField()
    days: int = dspy.OutputField()
    sure: bool = dspy.OutputField()
    kind: Literal["rain", "sun"] = dspy.OutputField()
    kinds: list[str] = dspy.OutputField()


def _asked(url, model):
    lm = dspy.LM(model, api_base=f"{url}/openai/v1", api_key="any", cache=False, num_retries=0)
    with dspy.context(lm=lm, adapter=dspy.JSONAdapter()):
        found = dspy.Predict(_Question)(question="How is the weather in Paris?")
    return {name: found[name] for name in ("answer", "days", "sure", "kind", "kinds")}


def by_a_schema(url):
    return _asked(url, "openai/gpt-4.1")


def by_the_prompt(url):
    """A model of which DSPy does not know that it can follow a schema."""
    return _asked(url, "openai/unknown-model")
