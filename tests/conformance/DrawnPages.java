import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

/** veraPDF on many files. Input: a path and the flavours that it claims, a line each, by tabs. Output: path, flavour, clauses that break. */
public class DrawnPages {
    public static void main(String[] none) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
            String[] parts = line.split("\t");
            String path = parts[0];
            for (int each = 1; each < parts.length; each++) {
                String name = parts[each];
                PDFAFlavour flavour = PDFAFlavour.byFlavourId(name);
                TreeSet<String> broken = new TreeSet<>();
                try (PDFAParser parser = Foundries.defaultInstance().createParser(new File(path), flavour)) {
                    for (TestAssertion one : Foundries.defaultInstance().createValidator(flavour, false).validate(parser).getTestAssertions()) {
                        if (one.getStatus() == TestAssertion.Status.FAILED) {
                            broken.add(one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber());
                        }
                    }
                }
                System.out.println(path + "\t" + name + "\t" + String.join(" ", broken));
            }
        }
    }
}
