package sigillum.bench;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import java.nio.file.Path;
import java.util.Date;

/**
 * Signs one PDF again and again with EU DSS, PAdES B-B, with a fixed signature value: what is left is reading, writing,
 * hashing and the CMS; for bench:pades.
 *
 * <p>Arguments: FILE COUNT OUTPUT CERTIFICATE.
 */
public final class Prepare {
  private Prepare() {}

  public static void main(String[] arguments) throws Exception {
    CertificateToken certificate = DSSUtils.loadCertificate(Path.of(arguments[3]).toFile());
    PAdESService service = new PAdESService(new CommonCertificateVerifier());
    SignatureValue value =
        new SignatureValue(
            SignatureAlgorithm.getAlgorithm(EncryptionAlgorithm.ECDSA, DigestAlgorithm.SHA256), new byte[72]);
    for (int index = 0; index < Integer.parseInt(arguments[1]); index++) {
      DSSDocument document = new FileDocument(arguments[0]);
      PAdESSignatureParameters parameters = new PAdESSignatureParameters();
      parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
      parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
      parameters.setSigningCertificate(certificate);
      parameters.setContentSize(16384);
      parameters.bLevel().setSigningDate(new Date());
      service.getDataToSign(document, parameters);
      service.signDocument(document, parameters, value).save(arguments[2]);
    }
  }
}
