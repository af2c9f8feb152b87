package sigillum.judge;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import eu.europa.esig.dss.detailedreport.DetailedReport;
import eu.europa.esig.dss.detailedreport.jaxb.XmlBasicBuildingBlocks;
import eu.europa.esig.dss.detailedreport.jaxb.XmlConstraint;
import eu.europa.esig.dss.detailedreport.jaxb.XmlConstraintsConclusion;
import eu.europa.esig.dss.detailedreport.jaxb.XmlStatus;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.TimestampWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlSignatureScope;
import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.enumerations.SignatureScopeType;
import eu.europa.esig.dss.enumerations.SubIndication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.validation.reports.Reports;
import java.math.BigInteger;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The strict reading of one signature: TOTAL_PASSED by both policies, every time-stamp PASSED, a baseline format,
 * no failed or warned constraint of format checking (BBB_FC_*) or cryptographic verification (BBB_CV_*), and nothing
 * but extensions (DSS, document time-stamps) after the last signature.
 */
final class Reading {
    private final Reports byDefault;
    private final Reports strict;
    private final SignatureWrapper signature;
    private final long fileSize;
    private final boolean last;
    private final String level;

    Reading(Reports byDefault, Reports strict, SignatureWrapper signature, long fileSize, boolean last, String level) {
        this.byDefault = byDefault;
        this.strict = strict;
        this.signature = signature;
        this.fileSize = fileSize;
        this.last = last;
        this.level = level;
    }

    static long signedEnd(SignatureWrapper signature) {
        List<BigInteger> range = signature.getSignatureByteRange();
        return range != null && range.size() == 4 ? range.get(2).longValue() + range.get(3).longValue() : -1;
    }

    void write(ObjectNode entry) {
        ArrayNode reasons = entry.arrayNode();
        String id = signature.getId();
        entry.put("field", signature.getFirstFieldName());
        ArrayNode range = entry.putArray("byteRange");
        if (signature.getSignatureByteRange() != null) {
            signature.getSignatureByteRange().forEach(n -> range.add(n.longValue()));
        }

        writeIndications(entry, reasons, id);
        String format = signature.getSignatureFormat() == null ? "none" : signature.getSignatureFormat().toString();
        entry.put("level", format);
        if (!format.startsWith("PAdES-BASELINE-")) reasons.add("format " + format);
        else if (level != null && !format.equals(level)) reasons.add("level " + format + " instead of " + level);

        Set<String> constraints = new TreeSet<>();
        collectConstraints(id, constraints);
        ArrayNode timestamps = entry.putArray("timestamps");
        for (TimestampWrapper timestamp : signature.getTimestampList()) {
            writeTimestamp(timestamps.addObject(), reasons, timestamp);
            collectConstraints(timestamp.getId(), constraints);
        }
        ArrayNode failed = entry.putArray("constraints");
        constraints.forEach(failed::add);
        constraints.forEach(reasons::add);

        writeScope(entry, reasons);
        ArrayNode messages = entry.putArray("messages");
        addMessages(messages, "error", byDefault.getSimpleReport().getAdESValidationErrors(id));
        addMessages(messages, "warning", byDefault.getSimpleReport().getAdESValidationWarnings(id));
        entry.put("accept", reasons.isEmpty());
        entry.set("reasons", reasons);
    }

    private void writeIndications(ObjectNode entry, ArrayNode reasons, String id) {
        SimpleReport report = byDefault.getSimpleReport();
        String word = say(report.getIndication(id), report.getSubIndication(id));
        entry.put("indication", String.valueOf(report.getIndication(id)));
        entry.put("subIndication", report.getSubIndication(id) == null ? null : report.getSubIndication(id).toString());
        if (report.getIndication(id) != Indication.TOTAL_PASSED) reasons.add(word);
        SimpleReport harder = strict.getSimpleReport();
        String strictWord = say(harder.getIndication(id), harder.getSubIndication(id));
        entry.put("strict", strictWord);
        if (harder.getIndication(id) != Indication.TOTAL_PASSED && !strictWord.equals(word)) {
            reasons.add("strict policy: " + strictWord);
        }
    }

    private void writeTimestamp(ObjectNode entry, ArrayNode reasons, TimestampWrapper timestamp) {
        DetailedReport report = byDefault.getDetailedReport();
        Indication indication = byDefault.getSimpleReport().getIndication(timestamp.getId());
        SubIndication sub = byDefault.getSimpleReport().getSubIndication(timestamp.getId());
        if (indication == null) indication = report.getBasicTimestampValidationIndication(timestamp.getId());
        entry.put("type", timestamp.getType().toString());
        entry.put("indication", String.valueOf(indication));
        entry.put("subIndication", sub == null ? null : sub.toString());
        entry.put("time", timestamp.getProductionTime() == null ? null : timestamp.getProductionTime().toInstant().toString());
        if (indication != Indication.PASSED) reasons.add("time-stamp " + say(indication, sub));
    }

    /** Not OK or WARNING in format checking and cryptographic verification, of the signature or of a time-stamp. */
    private void collectConstraints(String id, Set<String> into) {
        for (Reports reports : List.of(byDefault, strict)) {
            XmlBasicBuildingBlocks blocks = reports.getDetailedReport().getBasicBuildingBlockById(id);
            if (blocks == null) continue;
            collect(blocks.getFC(), into);
            collect(blocks.getCV(), into);
        }
    }

    private static void collect(XmlConstraintsConclusion block, Set<String> into) {
        if (block == null) return;
        for (XmlConstraint constraint : block.getConstraint()) {
            boolean bad = constraint.getStatus() == XmlStatus.NOT_OK || constraint.getStatus() == XmlStatus.WARNING;
            if (bad) into.add(constraint.getName().getKey());
        }
    }

    private void writeScope(ObjectNode entry, ArrayNode reasons) {
        ArrayNode scopes = entry.putArray("scope");
        boolean full = !signature.getSignatureScopes().isEmpty();
        for (XmlSignatureScope scope : signature.getSignatureScopes()) {
            scopes.add(String.valueOf(scope.getScope()));
            full &= scope.getScope() == SignatureScopeType.FULL;
        }
        if (!signature.getPdfUndefinedChanges().isEmpty()) reasons.add("undefined changes after signing");
        if (!signature.getPdfAnnotationChanges().isEmpty()) reasons.add("annotations changed after signing");
        // Between two signatures a form may be filled; DocMDP and FieldMDP say when not. After the last: extensions only.
        if (last && !signature.getPdfSignatureOrFormFillChanges().isEmpty()) reasons.add("form filled after signing");
        if (full) return;
        if (signature.getSignatureScopes().isEmpty()) reasons.add("no signed scope");
        else if (!signature.arePdfObjectModificationsDetected() && signedEnd(signature) < fileSize) {
            reasons.add("bytes after the signed range that change nothing DSS sees");
        }
    }

    private static void addMessages(ArrayNode into, String kind, List<Message> messages) {
        for (Message message : messages) into.add(kind + " " + message.getKey() + ": " + message.getValue());
    }

    private static String say(Indication indication, SubIndication sub) {
        return sub == null ? String.valueOf(indication) : indication + "/" + sub;
    }
}
