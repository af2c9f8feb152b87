package sigillum.judge;

import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.policy.ValidationPolicyFacade;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** DSS's default policy, and a strict one made from it: what a PDF update may do is an error, not a warning. */
final class Policies {
    private static final String DEFAULT_POLICY = "/policy/constraint.xml";

    /** The constraints of EN 319 102-1's format checking that the default policy only warns about. */
    private static final Set<String> RAISED = Set.of(
            "ByteRangeCollision", "PdfAnnotationOverlap", "PdfVisualDifference",
            "DocMDP", "FieldMDP", "SigFieldLock", "UndefinedChanges");

    private final String defaultXml;
    private final String strictXml;

    Policies() throws Exception {
        try (InputStream stream = ValidationPolicyFacade.class.getResourceAsStream(DEFAULT_POLICY)) {
            defaultXml = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
        strictXml = raise(defaultXml);
    }

    /** A fresh object for each use, since a file must never see what another one left behind. */
    ValidationPolicy byDefault() throws Exception {
        return load(defaultXml);
    }

    ValidationPolicy strict() throws Exception {
        return load(strictXml);
    }

    private static ValidationPolicy load(String xml) throws Exception {
        return ValidationPolicyFacade.newFacade()
                .getValidationPolicy(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
    }

    private static String raise(String xml) {
        Matcher matcher = Pattern.compile("<(\\w+) Level=\"WARN\" />").matcher(xml);
        Set<String> found = new TreeSet<>();
        StringBuilder strict = new StringBuilder();
        while (matcher.find()) {
            boolean raised = RAISED.contains(matcher.group(1));
            if (raised) found.add(matcher.group(1));
            matcher.appendReplacement(strict, raised ? "<" + matcher.group(1) + " Level=\"FAIL\" />" : "$0");
        }
        matcher.appendTail(strict);
        // Another version of DSS may write its policy differently; a strict policy that raises nothing is no judge.
        if (!found.equals(new TreeSet<>(RAISED))) throw new IllegalStateException("raised only " + found);
        return strict.toString();
    }
}
