"""A client of the sandbox that knows nothing of ours, and small flows to feed it."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx

from reconciler.sandbox.embedded import Running


@dataclass(frozen=True)
class Client:
    """One OAuth client's session with a sandbox org."""

    http: httpx.Client

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.http.close()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        """A request below /api/v2."""
        return self.http.request(method, f"/api/v2{path}", json=body, params=query)

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", path, **query)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The body of a POST that must succeed."""
        answer = self.call("POST", path, body, **query)
        assert answer.is_success, answer.text
        return answer.json()

    def put(self, path: str, body: Any) -> Any:
        """The body of a PUT that must succeed."""
        answer = self.call("PUT", path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
        """Status and error code of a request that must be refused with a whole envelope."""
        answer = self.call(method, path, body, **query)
        assert answer.is_error, answer.text
        envelope = answer.json()
        assert envelope["status"] == answer.status_code
        assert envelope["contextId"] == answer.headers["ININ-Correlation-Id"]
        assert envelope["details"] is not None
        assert envelope["message"]
        return answer.status_code, envelope["code"]

    def upload(self, yaml: str, *, create_stubs: bool | None = None) -> str:
        """Registers a deploy job, uploads the flow, returns the job's id."""
        job = self.post("/flows/jobs", None if create_stubs is None else {"createStubs": create_stubs})
        answer = self.http.put(job["presignedUrl"], headers=job["headers"], content=yaml.encode())
        assert answer.status_code == 200, answer.text
        return str(job["id"])

    def deploy(self, yaml: str, *, create_stubs: bool | None = None) -> Any:
        """A deploy job's final state."""
        return self.get(f"/flows/jobs/{self.upload(yaml, create_stubs=create_stubs)}", expand="messages")

    def publish(self, yaml: str) -> str:
        """Publishes a flow and returns its id."""
        state = self.deploy(yaml)
        assert state["status"] == "Success", state
        return str(state["flow"]["id"])

    def failure(self, yaml: str) -> list[str]:
        """Messages of a deploy job that must fail."""
        state = self.deploy(yaml)
        assert state["status"] == "Failure", state
        return [message["text"] for message in state["messages"]]

    def export(self, flow_id: str, version: str | None = None) -> str:
        """The YAML of one flow."""
        wanted = {"id": flow_id, **({"version": version} if version else {})}
        return self.download([{"flow": wanted}]).decode()

    def download(self, flows: list[dict[str, Any]]) -> bytes:
        """What an export job of these entries gives."""
        job = self.post("/flows/export/jobs", {"flows": flows})
        state = self.get(f"/flows/export/jobs/{job['id']}", expand="messages")
        assert state["status"] == "Success", state
        # The address carries its own signature: no token.
        return httpx.get(state["downloadUrl"], verify=False).raise_for_status().content

    def version(self, flow_id: str) -> str | None:
        """The published version of a flow."""
        published = self.get(f"/flows/{flow_id}").get("publishedVersion")
        return str(published["id"]) if published else None

    def settings(self, **changes: Any) -> None:
        """Changes how the org behaves."""
        self.http.put("/sandbox/settings", json=changes).raise_for_status()

    def fault(self, **rule: Any) -> None:
        """Adds a fault rule."""
        self.http.post("/sandbox/faults", json=rule).raise_for_status()


def connect(url: str, client_id: str, client_secret: str) -> Client:
    """A session with a fresh token."""
    http = httpx.Client(base_url=url, timeout=30, verify=False)  # Plain HTTP: no certificates to load.
    answer = http.post(
        "/oauth/token", auth=(client_id, client_secret), data={"grant_type": "client_credentials"}
    ).raise_for_status()
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return Client(http)


def another(client: Client, running: Running, **what: str) -> Client:
    """A second OAuth client of the same org."""
    made = client.http.post("/sandbox/clients", json=what).raise_for_status().json()
    return connect(running.api_url, made["client_id"], made["client_secret"])


def unzip(content: bytes) -> dict[str, str]:
    """Files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def call_flow(name: str, actions: str = "", *, says: str = "Welcome.", extra: str = "") -> str:
    """An inbound call flow with one task; ``actions`` are indented by ten blanks."""
    return f"""\
inboundCall:
  name: {name}
{extra}  defaultLanguage: en-us
  startUpRef: ./tasks/task[main]
  initialGreeting:
    tts: {says}
  tasks:
    - task:
        name: Main
        refId: main
        actions:
{actions}          - disconnect:
              name: Disconnect
"""


def to_queue(queue: str) -> str:
    """An action that transfers to a queue."""
    return f"""\
          - transferToAcd:
              name: To {queue}
              targetQueue:
                lit:
                  name: {queue}
"""


def to_flow(flow: str) -> str:
    """An action that transfers to another call flow."""
    return f"""\
          - transferToFlow:
              name: To {flow}
              targetFlow:
                name: {flow}
"""


def calls(module: str, inputs: str = "none: true") -> str:
    """An action that calls a common module."""
    return f"""\
          - callCommonModule:
              name: Call {module}
              commonModule:
                {module}:
                  ver_latestPublished:
                    {inputs}
"""


def module(name: str, says: str = "One moment.", variables: str = "") -> str:
    """A common module that speaks."""
    return f"""\
commonModule:
  name: {name}
  supportedLanguages:
    en-us:
      none: true
{variables}  settingsCommonModule:
    compatibleFlowTypes:
      - flowType: inboundcall
  startUpTaskActions:
    - playAudio:
        name: Speak
        audio:
          tts: {says}
    - endTask:
        name: End
"""
