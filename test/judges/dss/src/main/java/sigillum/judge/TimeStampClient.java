package sigillum.judge;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.TimestampType;
import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.TimestampBinary;
import eu.europa.esig.dss.service.http.commons.TimestampDataLoader;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.x509.tsp.TimestampToken;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** EU DSS as a client of a time-stamp server: URL, text to time-stamp, and a policy or nothing; answers one JSON line. */
public final class TimeStampClient {
    private TimeStampClient() {}

    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        ObjectNode answer = json.createObjectNode();
        byte[] data = arguments[1].getBytes(StandardCharsets.UTF_8);
        OnlineTSPSource source = new OnlineTSPSource(arguments[0], new TimestampDataLoader());
        if (arguments.length > 2) source.setPolicyOid(arguments[2]);
        try {
            // It checks the response against its request (imprint, nonce, policy) before it gives the token.
            TimestampBinary binary =
                source.getTimeStampResponse(DigestAlgorithm.SHA512, DSSUtils.digest(DigestAlgorithm.SHA512, data));
            TimestampToken token = new TimestampToken(binary.getBytes(), TimestampType.CONTENT_TIMESTAMP);
            answer.put("granted", true);
            answer.put("matches", token.matchData(new InMemoryDocument(data)));
            answer.put("time", token.getGenerationTime().toInstant().toString());
            answer.put("certificates", token.getCertificates().size());
            answer.put("token", Base64.getEncoder().encodeToString(binary.getBytes()));
        } catch (DSSException e) {
            answer.put("granted", false).put("reason", String.valueOf(e.getMessage()));
        }
        System.out.println(json.writeValueAsString(answer));
    }
}
