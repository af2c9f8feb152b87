import com.lowagie.text.Annotation;
import com.lowagie.text.Chapter;
import com.lowagie.text.Document;
import com.lowagie.text.PageSize;
import com.lowagie.text.Paragraph;
import com.lowagie.text.pdf.BaseFont;
import com.lowagie.text.pdf.PdfLayer;
import com.lowagie.text.pdf.PdfReader;
import com.lowagie.text.pdf.PdfSignatureAppearance;
import com.lowagie.text.pdf.PdfStamper;
import com.lowagie.text.pdf.PdfWriter;
import com.lowagie.text.pdf.TextField;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;
import java.util.Map;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.sax.SAXResult;
import javax.xml.transform.stream.StreamSource;
import org.apache.fop.apps.FopFactory;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.cos.COSName;
import org.apache.pdfbox.pdfwriter.compress.CompressParameters;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.PDDocumentNameDictionary;
import org.apache.pdfbox.pdmodel.PDEmbeddedFilesNameTreeNode;
import org.apache.pdfbox.pdmodel.PDPage;
import org.apache.pdfbox.pdmodel.PDPageContentStream;
import org.apache.pdfbox.pdmodel.PDResources;
import org.apache.pdfbox.pdmodel.common.PDRectangle;
import org.apache.pdfbox.pdmodel.common.filespecification.PDComplexFileSpecification;
import org.apache.pdfbox.pdmodel.common.filespecification.PDEmbeddedFile;
import org.apache.pdfbox.pdmodel.font.PDType0Font;
import org.apache.pdfbox.pdmodel.font.PDType1Font;
import org.apache.pdfbox.pdmodel.font.Standard14Fonts;
import org.apache.pdfbox.pdmodel.graphics.image.LosslessFactory;
import org.apache.pdfbox.pdmodel.interactive.annotation.PDAnnotationWidget;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.form.PDAcroForm;
import org.apache.pdfbox.pdmodel.interactive.form.PDSignatureField;
import org.apache.pdfbox.pdmodel.interactive.form.PDTextField;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** The files of Apache PDFBox, OpenPDF and Apache FOP: JavaLibraries FILES_DIRECTORY SIGNER.p12 PASSWORD FOP.xconf */
public final class JavaLibraries {
  private static final String DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
  private static Path files;

  private static OutputStream create(String producer, String name) throws Exception {
    Files.createDirectories(files.resolve(producer));
    return new FileOutputStream(files.resolve(producer).resolve(name + ".pdf").toFile());
  }

  private static PDDocument pdfBoxDocument() throws Exception {
    PDDocument document = new PDDocument();
    PDPage page = new PDPage(PDRectangle.A4);
    document.addPage(page);
    PDType0Font font = PDType0Font.load(document, new File(DEJAVU));
    BufferedImage image = new BufferedImage(60, 40, BufferedImage.TYPE_INT_ARGB);
    for (int x = 0; x < 60; x++) for (int y = 0; y < 40; y++) image.setRGB(x, y, (x * 4) << 24 | 0x114477);
    try (PDPageContentStream content = new PDPageContentStream(document, page)) {
      content.beginText();
      content.setFont(font, 16);
      content.newLineAtOffset(60, 760);
      content.showText("Chart room: карта, χάρτης, mapa");
      content.endText();
      content.drawImage(LosslessFactory.createFromImage(document, image), 60, 600, 120, 80);
    }
    return document;
  }

  private static void pdfBox(PrivateKey key, Certificate[] chain) throws Exception {
    try (PDDocument document = pdfBoxDocument()) {
      document.save(create("pdfbox", "object-streams"));
    }
    try (PDDocument document = pdfBoxDocument()) {
      byte[] data = "chart,scale\n1,50000\n".getBytes();
      PDEmbeddedFile embedded = new PDEmbeddedFile(document, new ByteArrayInputStream(data));
      embedded.setSubtype("text/csv");
      embedded.setSize(data.length);
      PDComplexFileSpecification specification = new PDComplexFileSpecification();
      specification.setFile("charts.csv");
      specification.setEmbeddedFile(embedded);
      PDEmbeddedFilesNameTreeNode tree = new PDEmbeddedFilesNameTreeNode();
      tree.setNames(Map.of("charts.csv", specification));
      PDDocumentNameDictionary names = new PDDocumentNameDictionary(document.getDocumentCatalog());
      names.setEmbeddedFiles(tree);
      document.getDocumentCatalog().setNames(names);
      document.save(create("pdfbox", "classic-attachment"), CompressParameters.NO_COMPRESSION);
    }
    ByteArrayOutputStream form = new ByteArrayOutputStream();
    try (PDDocument document = pdfBoxDocument()) {
      PDAcroForm acroForm = new PDAcroForm(document);
      document.getDocumentCatalog().setAcroForm(acroForm);
      PDResources resources = new PDResources();
      resources.put(COSName.getPDFName("Helv"), new PDType1Font(Standard14Fonts.FontName.HELVETICA));
      acroForm.setDefaultResources(resources);
      acroForm.setDefaultAppearance("/Helv 12 Tf 0 g");
      PDTextField text = new PDTextField(acroForm);
      text.setPartialName("Chart");
      PDSignatureField signature = new PDSignatureField(acroForm);
      signature.setPartialName("Captain");
      acroForm.setFields(List.of(text, signature));
      int y = 500;
      for (PDAnnotationWidget widget : List.of(text.getWidgets().get(0), signature.getWidgets().get(0))) {
        widget.setRectangle(new PDRectangle(60, y -= 60, 200, 30));
        widget.setPage(document.getPage(0));
        widget.setPrinted(true);
        document.getPage(0).getAnnotations().add(widget);
      }
      text.setValue("50000");
      document.save(form);
    }
    Files.createDirectories(files.resolve("pdfbox"));
    Files.write(files.resolve("pdfbox/form-empty-signature-field.pdf"), form.toByteArray());
    try (PDDocument document = Loader.loadPDF(form.toByteArray())) {
      ((PDTextField) document.getDocumentCatalog().getAcroForm().getField("Chart")).setValue("20000");
      document.getDocument().getTrailer().getCOSDictionary(COSName.ROOT).setNeedToBeUpdated(true);
      document.saveIncremental(create("pdfbox", "form-saved-incrementally"));
    }
    for (boolean existing : new boolean[] {false, true}) {
      try (PDDocument document = existing ? Loader.loadPDF(form.toByteArray()) : Loader.loadPDF(plainBytes())) {
        PDSignature signature = new PDSignature();
        signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
        signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
        signature.setName("Corpus Signer");
        signature.setReason("Made for the corpus");
        signature.setSignDate(Calendar.getInstance());
        if (existing) {
          PDSignatureField field = (PDSignatureField) document.getDocumentCatalog().getAcroForm().getField("Captain");
          field.getCOSObject().setItem(COSName.V, signature);
          field.getCOSObject().setNeedToBeUpdated(true);
        }
        document.addSignature(signature, content -> sign(content, key, chain));
        document.saveIncremental(create("pdfbox", existing ? "signed-existing-field" : "signed"));
      }
    }
  }

  private static byte[] plainBytes() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (PDDocument document = pdfBoxDocument()) {
      document.save(out, CompressParameters.NO_COMPRESSION);
    }
    return out.toByteArray();
  }

  private static byte[] sign(InputStream content, PrivateKey key, Certificate[] chain) {
    try {
      CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
      generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
          .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), new JcaX509CertificateHolder((X509Certificate) chain[0])));
      generator.addCertificates(new JcaCertStore(Arrays.asList(chain)));
      return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  private static byte[] openPdfDocument(boolean full) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Document document = new Document(PageSize.A5);
    PdfWriter writer = PdfWriter.getInstance(document, out);
    if (full) {
      writer.setPdfVersion(PdfWriter.VERSION_1_5);
      writer.setFullCompression();
    }
    document.open();
    BaseFont font = BaseFont.createFont(DEJAVU, BaseFont.IDENTITY_H, BaseFont.EMBEDDED);
    Chapter chapter = new Chapter(new Paragraph("Anchors: якорь, άγκυρα", new com.lowagie.text.Font(font, 14)), 1);
    chapter.add(new Paragraph("Stockless, admiralty, mushroom"));
    document.add(chapter);
    document.add(new Annotation("Note", "An anchor holds"));
    if (full) {
      PdfLayer layer = new PdfLayer("Sketch", writer);
      writer.getDirectContent().beginLayer(layer);
      writer.getDirectContent().rectangle(60, 60, 100, 80);
      writer.getDirectContent().stroke();
      writer.getDirectContent().endLayer();
    } else {
      TextField field = new TextField(writer, new com.lowagie.text.Rectangle(60, 200, 260, 230), "anchor");
      field.setText("admiralty");
      writer.addAnnotation(field.getTextField());
    }
    document.close();
    return out.toByteArray();
  }

  private static void openPdf(PrivateKey key, Certificate[] chain) throws Exception {
    create("openpdf", "form-classic").write(openPdfDocument(false));
    create("openpdf", "layers-object-streams").write(openPdfDocument(true));
    OutputStream out = create("openpdf", "signed");
    PdfStamper stamper = PdfStamper.createSignature(new PdfReader(openPdfDocument(false)), out, '\0', null, true);
    PdfSignatureAppearance appearance = stamper.getSignatureAppearance();
    appearance.setCrypto(key, chain, null, PdfSignatureAppearance.WINCER_SIGNED);
    appearance.setReason("Made for the corpus");
    appearance.setVisibleSignature(new com.lowagie.text.Rectangle(60, 300, 260, 360), 1, "Bosun");
    stamper.close();
    OutputStream certified = create("openpdf", "certified-p2");
    stamper = PdfStamper.createSignature(new PdfReader(openPdfDocument(false)), certified, '\0', null, true);
    appearance = stamper.getSignatureAppearance();
    appearance.setCrypto(key, chain, null, PdfSignatureAppearance.WINCER_SIGNED);
    appearance.setCertificationLevel(PdfSignatureAppearance.CERTIFIED_FORM_FILLING);
    stamper.close();
  }

  private static void fop(File configuration) throws Exception {
    String body = "<fo:root xmlns:fo='http://www.w3.org/1999/XSL/Format' font-family='DejaVu Sans'><fo:layout-master-set>"
        + "<fo:simple-page-master master-name='a' page-width='148mm' page-height='210mm' margin='15mm'><fo:region-body/></fo:simple-page-master>"
        + "</fo:layout-master-set><fo:declarations><x:xmpmeta xmlns:x='adobe:ns:meta/'><r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        + "<r:Description r:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title><r:Alt><r:li xml:lang='x-default'>Sails</r:li></r:Alt></dc:title></r:Description></r:RDF></x:xmpmeta></fo:declarations>"
        + "<fo:bookmark-tree><fo:bookmark internal-destination='s'><fo:bookmark-title>Sails</fo:bookmark-title></fo:bookmark></fo:bookmark-tree>"
        + "<fo:page-sequence master-reference='a' xml:lang='en'><fo:flow flow-name='xsl-region-body'><fo:block id='s' font-size='18pt' role='H1'>Sails</fo:block>"
        + "<fo:block>Jib, main, mizzen. Парус, πανί.</fo:block></fo:flow></fo:page-sequence></fo:root>";
    for (String mode : new String[] {"", "PDF/A-2b", "PDF/A-3b"}) {
      FopFactory factory = FopFactory.newInstance(configuration);
      var agent = factory.newFOUserAgent();
      if (!mode.isEmpty()) {
        agent.getRendererOptions().put("pdf-a-mode", mode);
        agent.setAccessibility(true);
      }
      String name = mode.isEmpty() ? "sails" : "sails-" + mode.toLowerCase().replace("/", "");
      try (OutputStream out = create("fop", name)) {
        TransformerFactory.newInstance().newTransformer().transform(
            new StreamSource(new StringReader(body)), new SAXResult(factory.newFop("application/pdf", agent, out).getDefaultHandler()));
      }
    }
  }

  public static void main(String[] arguments) throws Exception {
    files = Path.of(arguments[0]);
    KeyStore store = KeyStore.getInstance("PKCS12");
    char[] password = arguments[2].toCharArray();
    try (InputStream in = new FileInputStream(arguments[1])) {
      store.load(in, password);
    }
    String alias = store.aliases().nextElement();
    PrivateKey key = (PrivateKey) store.getKey(alias, password);
    Certificate[] chain = store.getCertificateChain(alias);
    pdfBox(key, chain);
    openPdf(key, chain);
    fop(new File(arguments[3]).getAbsoluteFile());
  }
}
