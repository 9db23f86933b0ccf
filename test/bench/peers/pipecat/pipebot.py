"""Pipecat's phone bot as its own Twilio example has it: Silero VAD, Smart Turn, OpenAI services.

What differs from the example: the services are asked at FAKEAI, there is no greeting, no recording and no
call to Twilio's REST API. Environment: PORT, FAKEAI (base URL ending in /v1).
"""
import os
import sys

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

logger.remove()
logger.add(sys.stderr, level="INFO")
AI = {"api_key": "none", "base_url": os.environ["FAKEAI"]}
PROMPT = "You are a friendly receptionist on a phone call. Keep replies short."
TELEPHONE_RATE = 8000
# OpenAI's pcm; the service must be told, for the pipeline runs at the telephone's rate.
OPENAI_RATE = 24000
app = FastAPI()


async def talk(websocket: WebSocket) -> None:
    _, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call.stream_id,
        call_sid=call.call_id,
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, add_wav_header=False, serializer=serializer
        ),
    )
    llm = OpenAILLMService(
        **AI, settings=OpenAILLMService.Settings(model="fake", system_instruction=PROMPT)
    )
    user, assistant = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            OpenAISTTService(**AI),
            user,
            llm,
            OpenAITTSService(**AI, sample_rate=OPENAI_RATE),
            transport.output(),
            assistant,
        ]
    )
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(
            audio_in_sample_rate=TELEPHONE_RATE,
            audio_out_sample_rate=TELEPHONE_RATE,
            enable_metrics=True,
            enable_usage_metrics=True,
        ),
    )

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(transport, client):
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False, force_gc=True)
    await runner.add_workers(worker)
    await runner.run()


@app.websocket("/ws")
async def ws(websocket: WebSocket):
    await websocket.accept()
    try:
        await talk(websocket)
    except Exception as error:
        logger.exception(f"call ended: {error}")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
