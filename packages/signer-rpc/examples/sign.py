#!/usr/bin/env python3
"""Signs files with a key of the hash-signer. The standard library of Python 3.9 and nothing else.

sign.py URL ROOT.pem CERTIFICATE.pem KEY.pem KEY_ID FILE...     prints one base64 signature a line
sign.py URL ROOT.pem CERTIFICATE.pem KEY.pem                    prints the keys that this client may use
"""
import base64, hashlib, http.client, json, ssl, sys, urllib.parse, uuid

SERVER = "spiffe://sigillum.internal/hash-signer"
TIMEOUT_MS = 10_000
HASHES = {"ecdsa-p384-sha384": "sha384"}  # every other algorithm of the contract hashes with SHA-256


class Signer:
    def __init__(self, url, root, certificate, key):
        context = ssl.create_default_context(cafile=root)  # checks the chain and the host's name
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
        address = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPSConnection(
            address.hostname, address.port, context=context, timeout=TIMEOUT_MS / 1000 + 1
        )
        self.connection.connect()
        names = [name for kind, name in self.connection.sock.getpeercert()["subjectAltName"] if kind == "URI"]
        if names != [SERVER]:  # any service below the root has a certificate; only one of them is the hash-signer
            raise ssl.SSLCertVerificationError(f"the server is {names}, not {SERVER}")

    def call(self, method, path, body=None):
        headers = {} if body is None else {"Content-Type": "application/json"}
        self.connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = self.connection.getresponse()
        answer = json.load(response)
        if response.status != 200:  # RFC 9457: act on the code, show the text to people
            raise RuntimeError(f"{response.status} {answer['code']}: {answer.get('detail', answer['title'])}")
        return answer

    def keys(self):
        return {key["key_id"]: key for key in self.call("GET", "/v1/keys")["keys"]}

    def sign(self, key, messages):
        """One entry for each message, in order: its signature, or the code of why there is none."""
        name = HASHES.get(key["algorithm"], "sha256")
        digests = [base64.b64encode(hashlib.new(name, message).digest()).decode() for message in messages]
        request = {"request_id": f"py-{uuid.uuid4()}", "timeout_ms": TIMEOUT_MS, "key_id": key["key_id"]}
        request |= {"algorithm": key["algorithm"], "digests": [{"digest": d, "context": {}} for d in digests]}
        return self.call("POST", "/v1/signDigests", request)["results"]


if __name__ == "__main__":
    signer, wanted = Signer(*sys.argv[1:5]), sys.argv[5:]
    if not wanted:
        print(json.dumps(signer.keys(), indent=2))
    else:
        messages = [open(path, "rb").read() for path in wanted[1:]]
        for result in signer.sign(signer.keys()[wanted[0]], messages):
            print(result.get("signature") or result["code"])
