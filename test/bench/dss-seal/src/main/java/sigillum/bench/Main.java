package sigillum.bench;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.service.http.commons.TimestampDataLoader;
import eu.europa.esig.dss.service.tsp.OnlineTSPSource;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.PasswordInputCallback;
import eu.europa.esig.dss.token.Pkcs11SignatureToken;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Date;

/**
 * Seals one PDF again and again with EU DSS, PAdES B-T, with a key in a PKCS#11 token; for bench:seal.
 *
 * <p>Arguments: MODULE DIRECTORY TSA_URL FILE COUNT OUTPUT (DIRECTORY as made by make_token.py). Token, service and
 * time-stamp source are made once, as a careful user would. OUTPUT receives the last sealed file.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[1]);
    byte[] data = Files.readAllBytes(Path.of(arguments[3]));
    int count = Integer.parseInt(arguments[4]);
    char[] pin = Files.readString(folder.resolve("pin")).strip().toCharArray();
    PAdESService service = new PAdESService(new CommonCertificateVerifier());
    OnlineTSPSource timeStamps = new OnlineTSPSource(arguments[2]);
    timeStamps.setDataLoader(new TimestampDataLoader());
    service.setTspSource(timeStamps);
    PasswordInputCallback callback = () -> pin;
    // The throw-away token is the first in the list of its SoftHSM configuration; its slot has a random number.
    try (Pkcs11SignatureToken token = new Pkcs11SignatureToken(arguments[0], callback, -1, 0, null)) {
      DSSPrivateKeyEntry key = token.getKeys().get(0);
      DSSDocument sealed = null;
      for (int index = 0; index < count; index++) sealed = seal(service, token, key, new InMemoryDocument(data));
      if (sealed != null) sealed.save(arguments[5]);
    }
  }

  private static DSSDocument seal(
      PAdESService service, Pkcs11SignatureToken token, DSSPrivateKeyEntry key, DSSDocument document) {
    PAdESSignatureParameters parameters = new PAdESSignatureParameters();
    parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_T);
    parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
    parameters.setSigningCertificate(key.getCertificate());
    parameters.setCertificateChain(key.getCertificateChain());
    parameters.bLevel().setSigningDate(new Date());
    ToBeSigned toSign = service.getDataToSign(document, parameters);
    SignatureValue value = token.sign(toSign, DigestAlgorithm.SHA256, key);
    return service.signDocument(document, parameters, value);
  }
}
