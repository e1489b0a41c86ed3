import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF on many files in one process. Standard input: one path a line. Output: the path, a tab, "valid" or what breaks PDF/A-3b. */
public class Verdicts {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String path : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
            Map<String, String> broken = new TreeMap<>();
            try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(path), PDFAFlavour.PDFA_3_B)) {
                PDFAValidator validator = Foundries.defaultInstance().createValidator(PDFAFlavour.PDFA_3_B, false);
                ValidationResult result = validator.validate(parser);
                for (TestAssertion one : result.getTestAssertions()) {
                    if (one.getStatus() == TestAssertion.Status.FAILED) {
                        broken.put(one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber(),
                            String.valueOf(one.getMessage()).replaceAll("\\s+", " "));
                    }
                }
                if (!result.isCompliant() && broken.isEmpty()) {
                    broken.put("?", "not compliant");
                }
            } catch (Exception error) {
                broken.put("error", String.valueOf(error.getMessage()).replaceAll("\\s+", " "));
            }
            System.out.println(path + "\t" + (broken.isEmpty() ? "valid" : broken.toString()));
        }
    }
}
