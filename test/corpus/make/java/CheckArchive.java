import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.ValidationResult;

/** Prints "path TAB flavour TAB compliant" for each flavour that each file claims, by veraPDF; failed rules on stderr. */
public final class CheckArchive {
  public static void main(String[] paths) throws Exception {
    VeraGreenfieldFoundryProvider.initialise();
    for (String path : paths) {
      try (FileInputStream in = new FileInputStream(path); PDFAParser parser = Foundries.defaultInstance().createParser(in)) {
        for (PDFAFlavour flavour : parser.getFlavours()) {
          PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false);
          ValidationResult result = validator.validate(parser);
          System.out.println(path + "\t" + flavour.getId() + "\t" + result.isCompliant());
          if (!result.isCompliant()) {
            result.getTestAssertions().stream().map(a -> a.getRuleId() + " " + a.getMessage()).distinct().limit(8)
                .forEach(line -> System.err.println(path + ": " + line));
          }
        }
      }
    }
  }
}
