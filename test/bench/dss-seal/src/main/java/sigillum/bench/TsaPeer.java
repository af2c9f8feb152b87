package sigillum.bench;

import com.sun.net.httpserver.HttpServer;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Date;
import java.util.List;
import java.util.concurrent.Executors;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TSPAlgorithms;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampTokenGenerator;

/**
 * The RFC 3161 server that one would build from a registry: Bouncy Castle behind the JDK's own HTTP server, the key in
 * memory. TsaPeer KEY_PKCS8_DER EC|RSA CERTIFICATE_PEM CA_PEM prints its port.
 */
public final class TsaPeer {
  /** As many as the bench's machine has processors: more threads only take turns. */
  private static final int THREADS = Runtime.getRuntime().availableProcessors();

  public static void main(String[] arguments) throws Exception {
    PrivateKey key =
        KeyFactory.getInstance(arguments[1])
            .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(Path.of(arguments[0]))));
    X509Certificate certificate = read(arguments[2]);
    JcaCertStore chain = new JcaCertStore(List.of(certificate, read(arguments[3])));
    String algorithm = arguments[1].equals("EC") ? "SHA256withECDSA" : "SHA256withRSA";
    // What signs holds a state, so each thread has its own.
    ThreadLocal<TimeStampResponseGenerator> generators =
        ThreadLocal.withInitial(
            () -> {
              try {
                TimeStampTokenGenerator tokens =
                    new TimeStampTokenGenerator(
                        new JcaSimpleSignerInfoGeneratorBuilder().build(algorithm, key, certificate),
                        new JcaDigestCalculatorProviderBuilder()
                            .build()
                            .get(new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256)),
                        new ASN1ObjectIdentifier("2.25.99"));
                tokens.addCertificates(chain);
                tokens.setAccuracySeconds(1);
                return new TimeStampResponseGenerator(tokens, TSPAlgorithms.ALLOWED);
              } catch (Exception problem) {
                throw new IllegalStateException(problem);
              }
            });
    SecureRandom random = new SecureRandom();
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newFixedThreadPool(THREADS));
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            TimeStampRequest request = new TimeStampRequest(exchange.getRequestBody().readAllBytes());
            BigInteger serial = new BigInteger(128, random);
            byte[] answer = generators.get().generateGrantedResponse(request, serial, new Date()).getEncoded();
            exchange.getResponseHeaders().set("Content-Type", "application/timestamp-reply");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
          } catch (Exception problem) {
            throw new java.io.IOException(problem);
          }
        });
    server.start();
    System.out.println(server.getAddress().getPort());
  }

  private static X509Certificate read(String file) throws Exception {
    try (var stream = Files.newInputStream(Path.of(file))) {
      return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(stream);
    }
  }
}
