"""pyHanko as a judge: one request a line on stdin, one verdict a line on stdout; see ../README.md for the fields.

Process by level: a signature without a time-stamp by the basic process, with one by the process for signatures with
time (revocation data from outside and from the file's DSS alike), and the long-term process when a document
time-stamp follows. Revocation data is required for every certificate below the anchors, whatever the level.
"""

import asyncio
import base64
import json
import logging
import signal
import sys
import time

from asn1crypto import crl, ocsp, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.generic_cms import extract_tst_data_iter
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule, LocalKnowledge, PdfSignatureValidationSpec, RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec, SignatureValidationSpec)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

DEFAULT_LIMIT_MS = 20_000


class TimeLimit(BaseException):
    """Not an Exception, so that no handler of the library mistakes it for a finding."""


def refuse_network(event, _arguments):
    """No judge goes online. The policy says so already; this makes it true."""
    if event in ('socket.connect', 'socket.getaddrinfo', 'socket.sendto'):
        raise PermissionError('the judge tried to go online')


def decode(values):
    return [base64.b64decode(value) for value in values]


def read_dss(reader):
    try:
        dss = DocumentSecurityStore.read_dss(reader)
    except NoDSSFoundError:
        return [], [], []
    crls = [crl.CertificateList.load(ref.get_object().data) for ref in dss.crls]
    ocsps = [ocsp.OCSPResponse.load(ref.get_object().data) for ref in dss.ocsps]
    return list(dss.load_certs()), crls, ocsps


def make_spec(request, reader):
    certs, crls, ocsps = read_dss(reader)
    crls += [crl.CertificateList.load(value) for value in decode(request.get('crls', []))]
    ocsps += [ocsp.OCSPResponse.load(value) for value in decode(request.get('ocsps', []))]
    policy = CertValidationPolicySpec(
        SimpleTrustManager.build([x509.Certificate.load(root) for root in decode(request['roots'])]),
        CertRevTrustPolicy(REQUIRE_REVINFO))
    knowledge = LocalKnowledge(
        known_certs=certs, known_crls=[CRLContainer(value) for value in crls],
        known_ocsps=[container for value in ocsps for container in OCSPContainer.load_multi(value)])
    return SignatureValidationSpec(
        policy, RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY,
                                            certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH),
        ts_cert_validation_policy=policy, local_knowledge=knowledge,
        key_usage_settings=KeyUsageConstraints(key_usage={'non_repudiation'}))


def choose(signatures, only):
    if isinstance(only, dict):
        return [s for s in signatures if s.field_name == only['field']]
    return signatures[-1:] if only == 'last' else signatures


def signed_end(signature):
    return int(signature.byte_range[2]) + int(signature.byte_range[3])


async def validate(signature, reader, request):
    """The process for this signature's level: its name, the result, the time of its token if it has one."""
    spec = make_spec(request, reader)
    token = next(extract_tst_data_iter(signature.signer_info, signed=False), None)
    token_time = token['encap_content_info']['content'].parsed['gen_time'].native if token is not None else None
    if any(signed_end(stamp) > signed_end(signature) for stamp in reader.embedded_timestamp_signatures):
        return 'lta', await ades.ades_lta_validation(signature, PdfSignatureValidationSpec(spec)), token_time
    process = ades.ades_basic_validation if token is None else ades.ades_with_time_validation
    result = await process(signature.signed_data, spec, raw_digest=signature.compute_digest())
    return 'basic' if token is None else 'with_time', result, token_time


def read_signature(signature, reader, request, last):
    reasons = []
    entry = {'field': signature.field_name, 'byteRange': [int(n) for n in signature.byte_range], 'reasons': reasons}
    try:
        signature.compute_integrity_info()
        integrity = signature.summarise_integrity_info()
        entry['process'], result, token_time = asyncio.run(validate(signature, reader, request))
    except Exception as error:  # whatever a hostile file makes a library throw is a finding about that file
        reasons.append(say(error))
        return entry
    status = result.api_status
    entry['indication'] = getattr(result.ades_subindic, 'name', str(result.ades_subindic))
    if result.ades_subindic is not AdESPassed.OK:
        reasons.append(f'{entry["indication"]}' + (f': {result.failure_msg}' if result.failure_msg else ''))
    if status is None:
        reasons.append('no status')
        return entry
    if not status.bottom_line:
        reasons.append('bottom line: ' + status.summary())
    coverage, difference = integrity['coverage'], signature.diff_result
    level = getattr(difference, 'modification_level', None)
    entry['coverage'], entry['modifications'] = coverage.name, level.name if level is not None else None
    if integrity['docmdp_ok'] is False:
        reasons.append('modifications that the signature forbids')
    if coverage != SignatureCoverageLevel.ENTIRE_FILE:
        # Between two signatures a form may be filled if DocMDP allows; after the last one only extensions may follow.
        allowed = ModificationLevel.LTA_UPDATES if last else ModificationLevel.FORM_FILLING
        if coverage != SignatureCoverageLevel.ENTIRE_REVISION:
            reasons.append(f'coverage {coverage.name}')
        if isinstance(difference, Exception):
            reasons.append(say(difference))
        elif level is None or level > allowed:
            reasons.append(f'{level.name if level is not None else "unknown"} changes after signing')
    if token_time is not None:
        # With a bad token the library silently takes now as the best time.
        entry['time'] = token_time.isoformat()
        stamp = status.timestamp_validity
        if stamp is None or not (stamp.valid and stamp.intact and stamp.trusted):
            reasons.append('time-stamp ' + (stamp.summary() if stamp else 'not validated'))
        elif result.best_signature_time > token_time:
            reasons.append('the time-stamp is not the best signature time')
    return entry


def judge(request):
    with open(request['file'], 'rb') as handle:
        reader = PdfFileReader(handle, strict=not request.get('lenient', False))
        if reader.encrypted:
            reader.decrypt(b'')
        signatures = sorted(reader.embedded_regular_signatures, key=signed_end)
        if not signatures:
            return {'word': 'unsigned', 'reasons': [], 'signaturesInFile': 0}
        chosen = choose(signatures, request.get('only', 'all'))
        entries = [read_signature(s, reader, request, s is signatures[-1]) for s in chosen]
    reasons = [reason if len(entries) == 1 else f'{entry["field"]}: {reason}'
               for entry in entries for reason in entry['reasons']]
    if not entries:
        reasons = ['no signature in the field asked for']
    return {'word': 'refuse' if reasons else 'accept', 'reasons': reasons, 'signatures': entries,
            'signaturesInFile': len(signatures)}


def say(error):
    return f'{type(error).__name__}: {error}'[:500]


def on_alarm(_number, _frame):
    raise TimeLimit


def judge_within(request):
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, request.get('limitMs', DEFAULT_LIMIT_MS) / 1000)
    try:
        answer = judge(request)
    except TimeLimit:
        answer = {'word': 'refuse', 'reasons': ['time limit']}
    except (Exception, RecursionError, MemoryError) as error:
        answer = {'word': 'refuse', 'reasons': ['not readable: ' + say(error)]}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {**answer, 'id': request.get('id'), 'ms': round((time.monotonic() - started) * 1000)}


def main():
    logging.disable(logging.CRITICAL)
    sys.addaudithook(refuse_network)
    signal.signal(signal.SIGALRM, on_alarm)
    out, sys.stdout = sys.stdout, sys.stderr  # a library that prints must not break the lines
    out.write('{"ready": true}\n')  # whatever goes wrong before this line is the installation, not a file
    out.flush()
    for line in sys.stdin:
        out.write(json.dumps(judge_within(json.loads(line))) + '\n')
        out.flush()


if __name__ == '__main__':
    main()
