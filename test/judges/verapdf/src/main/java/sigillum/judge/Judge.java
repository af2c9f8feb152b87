package sigillum.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.util.List;
import java.util.TreeSet;
import org.verapdf.core.EncryptedPdfException;
import org.verapdf.core.ModelParsingException;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.VeraPDFFoundry;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.ValidationResult;

/** Says whether a file keeps the PDF/A claim that it makes, or the flavour that the request names. */
final class Judge {
    ObjectNode judge(JsonNode request, ObjectNode answer) throws Exception {
        VeraGreenfieldFoundryProvider.initialise(); // its state is per thread
        File file = new File(request.path("file").asText());
        if (!file.isFile()) throw new IllegalArgumentException("no such file: " + file);
        ArrayNode reasons = answer.putArray("reasons");
        String given = request.path("flavour").asText("");
        PDFAFlavour wanted = given.isEmpty() ? PDFAFlavour.NO_FLAVOUR : PDFAFlavour.byFlavourId(given);
        if (!given.isEmpty() && wanted == PDFAFlavour.NO_FLAVOUR) {
            throw new IllegalArgumentException("unknown flavour " + given);
        }
        VeraPDFFoundry foundry = Foundries.defaultInstance();
        // With NO_FLAVOUR as the fallback a file that claims nothing says so instead of being taken for PDF/A-1b.
        try (PDFAParser parser = given.isEmpty()
                ? foundry.createParser(file, PDFAFlavour.NO_FLAVOUR, PDFAFlavour.NO_FLAVOUR)
                : foundry.createParser(file, wanted)) {
            List<PDFAFlavour> flavours = parser.getFlavours().stream().filter(f -> f != PDFAFlavour.NO_FLAVOUR).toList();
            if (flavours.isEmpty()) return answer.put("word", "abstain");
            ArrayNode results = answer.putArray("flavours");
            for (PDFAFlavour flavour : flavours) check(foundry, parser, flavour, results.addObject(), reasons);
            return answer.put("word", reasons.isEmpty() ? "accept" : "refuse");
        } catch (EncryptedPdfException | ModelParsingException | RuntimeException e) {
            reasons.add("not readable: " + e.getMessage());
            return answer.put("word", "abstain");
        }
    }

    private static void check(VeraPDFFoundry foundry, PDFAParser parser, PDFAFlavour flavour, ObjectNode entry,
            ArrayNode reasons) throws Exception {
        TreeSet<String> rules = new TreeSet<>();
        try (PDFAValidator validator = foundry.createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            result.getFailedChecks().keySet().forEach(rule -> rules.add(rule.getClause() + "-" + rule.getTestNumber()));
            entry.put("flavour", flavour.getId()).put("compliant", result.isCompliant());
            ArrayNode failed = entry.putArray("failedRules");
            rules.forEach(failed::add);
            if (!result.isCompliant()) reasons.add("not PDF/A-" + flavour.getId() + ": " + String.join(" ", rules));
        }
    }
}
