import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.mustangproject.ZUGFeRD.ZUGFeRDImporter;

/** Mustang's extraction over many PDFs. Standard input: source, a tab, target, a line each. Absent target: nothing. */
public class Extracts {
    public static void main(String[] arguments) throws Exception {
        for (String line : new String(System.in.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
            String[] paths = line.split("\t");
            ZUGFeRDImporter importer = new ZUGFeRDImporter();
            importer.doIgnoreCalculationErrors();
            try {
                importer.setInputStream(Files.newInputStream(Path.of(paths[0])));
            } catch (Exception unreadable) {
                // what it has taken out before it began to read is what is asked for
            }
            if (importer.getRawXML() != null) {
                Files.write(Path.of(paths[1]), importer.getRawXML());
            }
        }
        System.exit(0);
    }
}
