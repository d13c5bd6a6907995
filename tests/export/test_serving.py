import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from tfdisent import export
from tfdisent.export import serving


class ModelServer(BaseHTTPRequestHandler):
    """The REST interface of TensorFlow Serving as its documentation describes it, for one model."""

    def do_GET(self):
        if self.path == "/v1/models/sprites":
            status = {"error_code": "OK", "error_message": ""}
            versions = [{"version": "1", "state": "AVAILABLE", "status": status}]
            self.answer(200, {"model_version_status": versions})
        elif self.path in ("/v1/models/sprites/metadata", "/v1/models/sprites/versions/1/metadata"):
            signatures = {
                name: {
                    "inputs": {key: {"dtype": "DT_FLOAT"} for key in description["inputs"]},
                    "outputs": {key: {"dtype": "DT_FLOAT"} for key in description["outputs"]},
                    "method_name": "tensorflow/serving/predict",
                }
                for name, description in self.server.model.manifest.signatures.items()
            }
            signatures["__saved_model_init_op"] = {"outputs": {"__saved_model_init_op": {}}}
            self.answer(200, {"metadata": {"signature_def": {"signature_def": signatures}}})
        else:
            self.answer(404, {"error": "Servable not found for request"})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        try:
            self.answer(200, self.predict(body))
        except ValueError as error:
            self.answer(400, {"error": str(error)})

    def predict(self, body):
        signature = body.get("signature_name", "serving_default")
        specs = self.server.model.manifest.signatures[signature]["inputs"]
        if ("instances" in body) == ("inputs" in body):
            raise ValueError("a request has either instances or inputs")
        if "instances" in body:
            rows = body["instances"]
            is_named = isinstance(rows[0], dict)
            columns = (
                {key: [row[key] for row in rows] for key in rows[0]} if is_named else {None: rows}
            )
        else:
            is_named = isinstance(body["inputs"], dict)
            columns = body["inputs"] if is_named else {None: body["inputs"]}
        if not is_named and len(specs) != 1:
            raise ValueError("a value without a name needs a signature with one input")
        names = {None: next(iter(specs))}
        arrays = {
            names.get(key, key): np.array(value, specs[names.get(key, key)]["dtype"])
            for key, value in columns.items()
        }
        outputs = self.server.model.run(signature, **arrays)
        has_one = len(outputs) == 1
        if "inputs" in body:
            lists = {key: value.tolist() for key, value in outputs.items()}
            return {"outputs": next(iter(lists.values())) if has_one else lists}
        rows = [dict(zip(outputs, row, strict=True)) for row in zip(*outputs.values(), strict=True)]
        rows = [{key: value.tolist() for key, value in row.items()} for row in rows]
        return {"predictions": [next(iter(row.values())) for row in rows] if has_one else rows}

    def answer(self, status, body):
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        """Quiet."""


@pytest.fixture
def server(case):
    """A server of the exported model, on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ModelServer)
    server.model, server.bodies = case.model, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def only(name):
    """Runs a test with one of the models."""
    return pytest.mark.parametrize("case", [name], indirect=True)


def assert_same(found, expected):
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)


@pytest.mark.parametrize("row", [False, True])
@pytest.mark.parametrize("signature", ["serving_default", "encode", "reconstruct"])
def test_images_make_the_way_there_and_back(case, server, signature, row):
    client = export.Client("sprites", server.url)
    image = case.inputs["image"]
    expected = case.model.run(signature, image=image)
    assert_same(client.predict({"image": image}, signature, row=row), expected)
    assert_same(client.predict(image, signature, row=row), expected)
    assert all("instances" in body if row else "inputs" in body for body in server.bodies)


@only("mixed")
def test_every_signature_can_be_called(case, server):
    client = export.Client("sprites", server.url, version=None)
    for signature, description in case.model.manifest.signatures.items():
        inputs = {key: case.inputs[key] for key in description["inputs"]}
        assert_same(client.predict(inputs, signature), case.model.run(signature, **inputs))


@only("mixed")
def test_the_status_is_told(case, server):
    (version,) = export.Client("sprites", server.url + "/").status()
    assert version["state"] == "AVAILABLE"


@only("mixed")
def test_a_version_can_be_named(case, server):
    client = export.Client("sprites", server.url, version=1)
    assert client.url == f"{server.url}/v1/models/sprites/versions/1"
    assert "sample" in client.output_names()


@only("mixed")
def test_the_reason_of_the_server_is_told(case, server):
    client = export.Client("sprites", server.url)
    with pytest.raises(RuntimeError, match=r"answered .*:predict with 400: image must have the sh"):
        client.predict({"image": np.zeros([1, 4, 4, 1])})
    with pytest.raises(RuntimeError, match="with 404: Servable not found"):
        export.Client("other", server.url).status()


@only("mixed")
def test_an_unknown_signature_is_refused_before_it_is_sent(case, server):
    with pytest.raises(ValueError, match=r"must be one of \['decode', .*received 'classify'"):
        export.Client("sprites", server.url).predict(case.inputs["image"], "classify")
    assert server.bodies == []


@only("mixed")
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize(
    "image",
    [
        np.full([2, 8, 8, 1], 255, "uint8"),
        np.zeros([2, 8, 8, 1], int).tolist(),
        np.full([2, 8, 8, 1], 255.0),
        np.full([2, 8, 8, 1], -0.1),
        np.full([2, 8, 8, 1], np.inf),
    ],
)
def test_images_are_refused_as_a_loaded_export_refuses_them(case, server, image, is_named):
    with pytest.raises(ValueError, match="image must") as expected:
        case.model.encode(image)
    inputs = {"image": image} if is_named else image
    for signature in ("serving_default", "reconstruct"):
        with pytest.raises(ValueError, match="image must") as found:
            export.Client("sprites", server.url).predict(inputs, signature)
        assert str(found.value) == str(expected.value)
    with pytest.raises(ValueError, match="image must"):
        inputs = {"image": image, "dimension": 0, "values": [0.0]}
        export.Client("sprites", server.url).predict(inputs, "traverse")
    assert server.bodies == []


@only("mixed")
def test_codes_may_be_whole_numbers(case, server):
    code = np.zeros([2, 6], int)
    client = export.Client("sprites", server.url)
    expected = case.model.decode(code)
    assert_same(client.predict(code, "decode"), expected)
    assert_same(client.predict({"code": code}, "decode"), expected)


@only("mixed")
def test_pixels_without_bounds_can_be_sent(case, server):
    client = export.Client("sprites", server.url, image_range=None)
    with pytest.raises(RuntimeError, match=r"with 400: image must lie in \[0.0, 1.0\]"):
        client.predict(np.full([2, 8, 8, 1], 2.0))
    with pytest.raises(ValueError, match="image must be of type float32, received uint8"):
        client.predict(np.zeros([2, 8, 8, 1], "uint8"))
    assert len(server.bodies) == 1


def test_no_server_is_one_clear_error():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(
        ConnectionError, match=f"no model server answers at http://127.0.0.1:{port}"
    ):
        export.Client("sprites", f"http://127.0.0.1:{port}").status()


def test_a_server_that_is_silent_is_one_clear_error():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ConnectionError, match="no model server answers.*timed out"):
            export.Client("sprites", url, timeout=0.05).status()


def test_requests_are_those_of_the_documentation():
    """The examples of TensorFlow Serving's page on its RESTful API."""
    one = serving.predict_request([[[1, 2]], [[3, 4]]], row=True)
    assert one == {"signature_name": "serving_default", "instances": [[[1, 2]], [[3, 4]]]}
    inputs = {"signal": [[1, 2, 3], [3, 4, 1]], "sensor": [[[1, 2]], [[4, 5]]]}
    assert serving.predict_request(inputs, "s", row=True)["instances"] == [
        {"signal": [1, 2, 3], "sensor": [[1, 2]]},
        {"signal": [3, 4, 1], "sensor": [[4, 5]]},
    ]
    assert serving.predict_request(inputs, "s") == {"signature_name": "s", "inputs": inputs}


def test_responses_are_those_of_the_documentation():
    answer = serving.parse_response({"predictions": [3.5, 4.0, 5.5]}, output="y")
    assert_same(answer, {"y": [3.5, 4.0, 5.5]})
    rows = {"predictions": [{"a": 1.0, "b": [1.0, 2.0]}, {"a": 2.0, "b": [3.0, 4.0]}]}
    columns = {"outputs": {"a": [1.0, 2.0], "b": [[1.0, 2.0], [3.0, 4.0]]}}
    for body in (rows, columns):
        assert_same(serving.parse_response(body), {"a": [1, 2], "b": [[1, 2], [3, 4]]})
    assert_same(serving.parse_response({"outputs": [1.0]}, output="y"), {"y": [1]})


def test_floats_keep_every_bit_on_their_way_through_json():
    image = np.random.default_rng(0).normal(size=(7, 2)).astype("float32")
    body = json.loads(json.dumps(serving.predict_request(image)))
    np.testing.assert_array_equal(np.array(body["inputs"], "float32"), image)


def test_an_error_body_is_an_error():
    with pytest.raises(RuntimeError, match="the model server reports: Malformed"):
        serving.parse_response({"error": "Malformed"})


@pytest.mark.parametrize("body", [{"result": []}, [], "text", None])
def test_a_body_that_is_no_answer_is_refused(body):
    with pytest.raises(ValueError, match="expected a body with 'outputs' or 'predictions'"):
        serving.parse_response(body)


def test_requests_must_be_finite():
    with pytest.raises(ValueError, match="image must be finite"):
        serving.predict_request({"image": [[np.nan]]})


@pytest.mark.parametrize(
    "inputs", [{"seed": [0, 1], "count": 3}, {"image": [[1.0]], "values": [0.0, 1.0]}, 3.0]
)
def test_the_row_format_needs_one_batch_size(inputs):
    with pytest.raises(ValueError, match="the row format needs inputs of one batch size"):
        serving.predict_request(inputs, row=True)


def test_the_configuration_lists_the_models():
    text = export.models_config(
        {"sprites": "/models/sprites", "digits": "gs://bucket/digits"}, versions={"digits": [2, 5]}
    )
    assert text == (
        "model_config_list {\n"
        "  config {\n"
        '    name: "sprites"\n'
        '    base_path: "/models/sprites"\n'
        '    model_platform: "tensorflow"\n'
        "  }\n"
        "  config {\n"
        '    name: "digits"\n'
        '    base_path: "gs://bucket/digits"\n'
        '    model_platform: "tensorflow"\n'
        "    model_version_policy { specific { versions: 2 versions: 5 } }\n"
        "  }\n"
        "}\n"
    )


def test_the_official_package_reads_the_configuration():
    api = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    from google.protobuf import text_format

    text = export.models_config({"a": '/odd "path"\\é', "b": "/b"}, versions={"b": [3]})
    configs = text_format.Parse(text, api.ModelServerConfig()).model_config_list.config
    assert [c.name for c in configs] == ["a", "b"]
    assert configs[0].base_path == '/odd "path"\\é'
    assert list(configs[1].model_version_policy.specific.versions) == [3]


def test_bad_configurations_are_refused():
    with pytest.raises(ValueError, match="absolute path or a URI, received 'models/a'"):
        export.models_config({"a": "models/a"})
    with pytest.raises(ValueError, match="a model's name must be of letters"):
        export.models_config({"a/b": "/models"})
    with pytest.raises(ValueError, match=r"must be of the models \['a'\], received \['b'\]"):
        export.models_config({"a": "/models/a"}, versions={"b": [1]})
    with pytest.raises(ValueError, match="a model's name must be of letters"):
        export.Client("a:predict")
