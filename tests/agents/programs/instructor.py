import instructor
from openai import OpenAI
from pydantic import BaseModel


class FindStation(BaseModel):
    place: str


class ReadRain(BaseModel):
    station: str


class Answer(BaseModel):
    text: str


def work(url, task, tools):
    find_station, read_rain = tools
    client = instructor.from_openai(OpenAI(base_url=f"{url}/openai/v1", api_key="any"))
    messages = [{"role": "user", "content": task}]

    def ask(wanted):
        return client.create(model="any", messages=messages, response_model=wanted)

    def tell(found):
        messages.append({"role": "user", "content": found})

    tell(find_station(**ask(FindStation).model_dump()))
    tell(read_rain(**ask(ReadRain).model_dump()))
    return ask(Answer).text
