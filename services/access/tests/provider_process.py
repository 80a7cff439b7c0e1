"""A real OpenID provider as a process of its own: oidc-provider-mock, made to check PKCE as ours must; prints its port."""

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import flask
import oidc_provider_mock
from werkzeug.serving import make_server


def main() -> None:
    """Serve until killed."""
    app = oidc_provider_mock.app(require_nonce=True)
    challenges: dict[str, str] = {}

    @app.before_request
    def asks_for_a_challenge() -> Any:
        request = flask.request
        if request.path == "/oauth2/authorize" and request.args.get("code_challenge_method") != "S256":
            return "no S256 challenge", 400
        if request.path == "/oauth2/token":
            verifier = request.form.get("code_verifier", "")
            found = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
            if challenges.get(request.form["code"]) != found:
                return flask.jsonify({"error": "invalid_grant", "error_description": "PKCE"}), 400
        return None

    @app.after_request
    def remembers_the_challenge(response: flask.Response) -> flask.Response:
        code = response.headers.get("Location", "").partition("code=")[2].partition("&")[0]
        if code:
            challenges[code] = flask.request.args["code_challenge"]
        return response

    server = make_server("127.0.0.1", 0, app, threaded=True)
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    main()
