package sigillum.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.revocation.ocsp.ExternalResourcesOCSPSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.executor.signature.DefaultSignatureProcessExecutor;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.Date;
import java.util.List;

/** One file: facts are gathered once, then judged by the default and by the strict policy. */
final class Judge {
    private final Policies policies;

    Judge() throws Exception {
        policies = new Policies();
    }

    ObjectNode judge(JsonNode request, ObjectNode answer) throws Exception {
        File file = new File(request.path("file").asText());
        if (!file.isFile()) throw new IllegalArgumentException("no such file: " + file);
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        if (!(validator instanceof PDFDocumentValidator)) throw new IllegalArgumentException("not a PDF");
        validator.setCertificateVerifier(verifier(request));

        Reports byDefault = validator.validateDocument(policies.byDefault());
        DefaultSignatureProcessExecutor again = new DefaultSignatureProcessExecutor();
        again.setDiagnosticData(byDefault.getDiagnosticDataJaxb());
        again.setCurrentTime(new Date());
        again.setValidationPolicy(policies.strict());
        Reports strict = again.execute();

        DiagnosticData facts = byDefault.getDiagnosticData();
        List<SignatureWrapper> all = new ArrayList<>(facts.getSignatures());
        all.sort(Comparator.comparingLong(Reading::signedEnd));
        List<SignatureWrapper> chosen = choose(all, request.path("only"));
        answer.put("signaturesInFile", all.size());
        if (all.isEmpty()) {
            answer.put("word", "unsigned").putArray("reasons");
            return answer;
        }
        ArrayNode reasons = answer.putArray("reasons");
        ArrayNode signatures = answer.putArray("signatures");
        if (chosen.isEmpty()) reasons.add("no signature in the field asked for");
        for (SignatureWrapper signature : chosen) {
            boolean last = signature == all.get(all.size() - 1);
            ObjectNode entry = signatures.addObject();
            new Reading(byDefault, strict, signature, file.length(), last, request.path("level").asText(null))
                    .write(entry);
            for (JsonNode reason : entry.path("reasons")) {
                reasons.add(chosen.size() == 1 ? reason.asText() : signature.getFirstFieldName() + ": " + reason.asText());
            }
        }
        answer.put("word", reasons.isEmpty() ? "accept" : "refuse");
        return answer;
    }

    private static List<SignatureWrapper> choose(List<SignatureWrapper> all, JsonNode only) {
        if (only.isObject()) {
            String field = only.path("field").asText();
            return all.stream().filter(s -> s.getSignatureFieldNames().contains(field)).toList();
        }
        if (only.asText().equals("last") && !all.isEmpty()) return List.of(all.get(all.size() - 1));
        return all;
    }

    /** Nothing online: no issuer certificates, no revocation data but what the request or the file brings. */
    private static CommonCertificateVerifier verifier(JsonNode request) {
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (JsonNode root : request.path("roots")) trusted.addCertificate(DSSUtils.loadCertificate(decode(root)));
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setTrustedCertSources(trusted);
        verifier.setCrlSource(new ExternalResourcesCRLSource(documents(request.path("crls"))));
        verifier.setOcspSource(new ExternalResourcesOCSPSource(documents(request.path("ocsps"))));
        return verifier;
    }

    private static DSSDocument[] documents(JsonNode values) {
        List<DSSDocument> documents = new ArrayList<>();
        for (JsonNode value : values) documents.add(new InMemoryDocument(decode(value)));
        return documents.toArray(new DSSDocument[0]);
    }

    private static byte[] decode(JsonNode base64) {
        return Base64.getDecoder().decode(base64.asText());
    }
}
