import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.mustangproject.CII.CIIToUBL;

/**
 * What `Mustang-CLI --action ubl` runs, behind the line protocol of ForeignConverters.
 *
 * <p>In a machine of its own: the CLI brings an older converter of phax under the same names. Time is from file to file.
 */
public final class MustangConverter {
  /** Answers every line until standard input ends. */
  public static void main(final String[] args) throws Exception {
    final PrintStream answers = System.out;
    System.setOut(System.err); // where the library writes its log
    final var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      final String[] parts = line.split("\t");
      answers.println(answer(new File(parts[1]), Path.of(parts[2])));
      answers.flush();
    }
  }

  private static String answer(final File source, final Path target) {
    final long started = System.nanoTime();
    try {
      new CIIToUBL().convert(source, target.toFile());
      final double milliseconds = (System.nanoTime() - started) / 1e6;
      return Files.exists(target) ? String.format(java.util.Locale.ROOT, "ok\t%.3f", milliseconds) : "failed\tno document";
    } catch (final Exception error) {
      return "failed\t" + error.getClass().getSimpleName();
    }
  }

  private MustangConverter() {}
}
