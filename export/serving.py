"""For a model server: its configuration, and a client of its REST interface.

The formats are those of TensorFlow Serving (tensorflow.org/tfx/serving: serving_config, api_rest).
Nothing here needs TensorFlow or a package of the server. For warm-up requests see
`tfdisent.export.warmup`.
"""

import json
import re
import urllib.error
import urllib.request

import numpy as np

from tfdisent.export.inputs import check_numbers

DEFAULT_SIGNATURE = "serving_default"


def models_config(base_paths, versions=None):
    """The text of a `models.config`, for `tensorflow_model_server --model_config_file`.

    Args:
      base_paths: {model name: the folder of its versions as the server sees it, absolute or a URI}.
      versions: {model name: [version, ...]} of models of which not the newest version is served.

    Raises:
      ValueError: if a name does not fit into a URL, a path is relative, or `versions` names another
        model.
    """
    versions = dict(versions or {})
    unknown = sorted(set(versions) - set(base_paths))
    if unknown:
        raise ValueError(
            f"versions must be of the models {sorted(base_paths)}, received {unknown}."
        )
    lines = ["model_config_list {"]
    for name, base_path in base_paths.items():
        lines += ["  config {"]
        lines += [f'    name: "{_check_name(name)}"']
        lines += [f'    base_path: "{_check_base_path(base_path)}"']
        lines += ['    model_platform: "tensorflow"']
        if name in versions:
            numbers = " ".join(f"versions: {int(number)}" for number in versions[name])
            lines += [f"    model_version_policy {{ specific {{ {numbers} }} }}"]
        lines += ["  }"]
    return "\n".join([*lines, "}", ""])


def predict_request(inputs, signature=DEFAULT_SIGNATURE, row=False):
    """The JSON body of a predict call, as a dictionary.

    Args:
      inputs: {input name: array}, or one array for a signature with a single input.
      signature: name of the signature.
      row: whether to use the row format ("instances", for inputs that all have the batch as their
        first dimension) instead of the columnar one ("inputs", for any).

    Raises:
      ValueError: if an input is not finite, or the row format is asked for inputs without a common
        first dimension.
    """
    is_named = isinstance(inputs, dict)
    named = inputs if is_named else {"the input": inputs}
    arrays = {name: _plain(value) for name, value in named.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, received NaN or infinity.")
    if not row:
        lists = {name: array.tolist() for name, array in arrays.items()}
        values = lists if is_named else next(iter(lists.values()))
        return {"signature_name": signature, "inputs": values}
    rows = {array.shape[:1] for array in arrays.values()}
    if len(rows) != 1 or rows == {()}:
        shapes = {name: list(array.shape) for name, array in arrays.items()}
        raise ValueError(
            f"the row format needs inputs of one batch size, received shapes {shapes}."
        )
    instances = [
        {name: array[i].tolist() for name, array in arrays.items()} for i in range(rows.pop()[0])
    ]
    if not is_named:
        instances = [instance["the input"] for instance in instances]
    return {"signature_name": signature, "instances": instances}


def _plain(value):
    """An array whose floats are those that the model will receive."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def parse_response(body, output="output"):
    """The answer to a predict call: {output key: float32 array}.

    Args:
      body: the JSON body, parsed; of a call in row or columnar format.
      output: key of the output of a signature that has only one, which servers leave out.

    Raises:
      ValueError: if the body is no answer.
      RuntimeError: if the body is the server's report of an error.
    """
    if isinstance(body, dict) and "error" in body:
        raise RuntimeError(f"the model server reports: {body['error']}")
    if not isinstance(body, dict) or not {"outputs", "predictions"} & set(body):
        received = sorted(body) if isinstance(body, dict) else type(body).__name__
        raise ValueError(f"expected a body with 'outputs' or 'predictions', received {received}.")
    if "outputs" in body:
        outputs = body["outputs"]
        named = outputs if isinstance(outputs, dict) else {output: outputs}
    else:
        rows = body["predictions"]
        has_names = bool(rows) and isinstance(rows[0], dict)
        named = (
            {key: [row[key] for row in rows] for key in rows[0]} if has_names else {output: rows}
        )
    return {key: np.asarray(value, np.float32) for key, value in named.items()}


class Client:
    """A client of the REST interface of a model server.

    ```python
    client = Client("sprites")                       # http://localhost:8501/v1/models/sprites
    client.predict({"image": images})["mean"]        # [B, Dc]
    client.predict({"seed": [0, 1], "count": 16}, signature="sample")["image"]
    ```

    Args:
      name: of the model.
      url: of the server.
      version: of the model; by default the newest.
      timeout: seconds to wait for an answer.
      image_range: (low, high), what images are checked to lie in before they are sent, or None for
        a model whose pixels are unbounded (likelihood Gaussian(squash=False)). The server does not
        tell.
    """

    def __init__(
        self,
        name,
        url="http://localhost:8501",
        version=None,
        timeout=60.0,
        image_range=(0.0, 1.0),
    ):
        suffix = "" if version is None else f"/versions/{int(version)}"
        self.url = f"{url.rstrip('/')}/v1/models/{_check_name(name)}{suffix}"
        self.timeout = timeout
        self.image_range = image_range
        self._signatures = None

    def predict(self, inputs, signature=DEFAULT_SIGNATURE, row=False):
        """Calls a signature: {input key: array} -> {output key: float32 array}.

        See `predict_request` for the arguments, `tfdisent.export.signatures` for the signatures.

        Raises:
          ConnectionError: if no server answers.
          RuntimeError: if the server reports an error, or answers with anything but JSON.
          ValueError: if there is no such signature, an image is not of floats or out of range, or
            see `predict_request`.
        """
        names = self.output_names()
        if signature not in names:
            raise ValueError(f"signature must be one of {sorted(names)}, received {signature!r}.")
        self._check_image(inputs, signature)
        body = self._call(":predict", predict_request(inputs, signature, row))
        return parse_response(body, output=names[signature][0])

    def status(self):
        """The states of the versions, as the server reports them."""
        return self._call("")["model_version_status"]

    def output_names(self):
        """{signature: its output keys}, asked once."""
        return {name: sorted(about["outputs"]) for name, about in self._described().items()}

    def _described(self):
        """{signature: what the server says of it}, asked once."""
        if self._signatures is None:
            described = self._call("/metadata")["metadata"]["signature_def"]["signature_def"]
            # The server lists the initialiser of the model too, which is not to be called.
            self._signatures = {
                name: signature
                for name, signature in described.items()
                if not name.startswith("__")
            }
        return self._signatures

    def _check_image(self, inputs, signature):
        """Refuses what `ExportedVAE` refuses: the server would take bytes 0..255 for floats."""
        if not isinstance(inputs, dict):
            inputs = dict.fromkeys(self._described()[signature].get("inputs", ()), inputs)
        if "image" in inputs:
            image = np.asarray(inputs["image"])
            check_numbers("image", image, "float32", self.image_range)

    def _call(self, action, request=None):
        """GET, or POST of a body, to the URL of the model; the parsed answer."""
        message = urllib.request.Request(
            self.url + action,
            data=None if request is None else json.dumps(request).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(message, timeout=self.timeout) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(
                f"the model server answered {message.full_url} with {error.code}: "
                f"{_error_text(error.read())}"
            ) from error
        except (urllib.error.URLError, TimeoutError) as error:
            reason = getattr(error, "reason", error)
            raise ConnectionError(
                f"no model server answers at {message.full_url}: {reason}."
            ) from error
        try:
            return json.loads(body)
        except ValueError as error:
            raise RuntimeError(
                f"expected JSON from {message.full_url}, received {body[:80]!r}."
            ) from error


def _error_text(body):
    """The message of an error body, {"error": message}, or the body itself."""
    text = body.decode(errors="replace")
    try:
        return json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return text


def _check_name(name):
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise ValueError(
            f"a model's name must be of letters, digits, '_', '.', '-', received {name!r}."
        )
    return name


def _check_base_path(path):
    path = str(path)
    if not path.startswith("/") and "://" not in path:
        raise ValueError(f"base_path must be an absolute path or a URI, received {path!r}.")
    return path.replace("\\", "\\\\").replace('"', '\\"')
