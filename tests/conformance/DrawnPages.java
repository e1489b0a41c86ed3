import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;

/** veraPDF on many files, each against every flavour named in the arguments. Input: one path a line. Output: path, flavour, clauses that break. */
public class DrawnPages {
    public static void main(String[] flavours) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (String path : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
            for (String name : flavours) {
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
