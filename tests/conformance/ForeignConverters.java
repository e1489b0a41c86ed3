import com.helger.cii.d16b.CIID16BCrossIndustryInvoiceTypeMarshaller;
import com.helger.diagnostics.error.list.ErrorList;
import com.helger.en16931.cii2ubl.CIIToUBL21Converter;
import com.helger.en16931.ubl2cii.UBL21CreditNoteToCIID16BConverter;
import com.helger.en16931.ubl2cii.UBL21InvoiceToCIID16BConverter;
import com.helger.ubl21.UBL21Marshaller;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import oasis.names.specification.ubl.schema.xsd.creditnote_21.CreditNoteType;
import oasis.names.specification.ubl.schema.xsd.invoice_21.InvoiceType;
import un.unece.uncefact.data.standard.crossindustryinvoice._100.CrossIndustryInvoiceType;

/**
 * The two converters of phax behind one line protocol, so that a machine starts once for a whole corpus.
 *
 * <p>Standard input: `direction TAB source TAB target` per line, direction being cii2ubl, invoice2cii or credit2cii.
 * Standard output: `ok TAB milliseconds` (bytes in memory to bytes in memory) or `failed TAB reason`, one per line.
 */
public final class ForeignConverters {
  private static final CIID16BCrossIndustryInvoiceTypeMarshaller CII = new CIID16BCrossIndustryInvoiceTypeMarshaller();
  private static final UBL21Marshaller.UBL21JAXBMarshaller<InvoiceType> INVOICE = UBL21Marshaller.invoice();
  private static final UBL21Marshaller.UBL21JAXBMarshaller<CreditNoteType> CREDIT = UBL21Marshaller.creditNote();

  /** Answers every line until standard input ends. */
  public static void main(final String[] args) throws Exception {
    CII.setUseSchema(false);
    INVOICE.setUseSchema(false);
    CREDIT.setUseSchema(false);
    final var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      final String[] parts = line.split("\t");
      System.out.println(answer(parts[0], Files.readAllBytes(Path.of(parts[1])), Path.of(parts[2])));
      System.out.flush();
    }
  }

  private static String answer(final String direction, final byte[] source, final Path target) {
    final long started = System.nanoTime();
    try {
      final byte[] made = convert(direction, source);
      if (made == null) {
        return "failed\tno document";
      }
      final double milliseconds = (System.nanoTime() - started) / 1e6;
      Files.write(target, made);
      return String.format(java.util.Locale.ROOT, "ok\t%.3f", milliseconds);
    } catch (final Exception error) {
      return "failed\t" + error.getClass().getSimpleName() + " " + String.valueOf(error.getMessage()).lines().findFirst().orElse("");
    }
  }

  private static byte[] convert(final String direction, final byte[] source) {
    final var errors = new ErrorList();
    final var stream = new ByteArrayInputStream(source);
    if (direction.equals("cii2ubl")) {
      final CrossIndustryInvoiceType invoice = CII.read(stream);
      final Object made = invoice == null ? null : new CIIToUBL21Converter().convertCIItoUBL(invoice, errors);
      return made instanceof InvoiceType ? INVOICE.getAsBytes((InvoiceType) made)
          : made instanceof CreditNoteType ? CREDIT.getAsBytes((CreditNoteType) made) : null;
    }
    final CrossIndustryInvoiceType made;
    if (direction.equals("credit2cii")) {
      final CreditNoteType note = CREDIT.read(stream);
      made = note == null ? null : UBL21CreditNoteToCIID16BConverter.convertToCrossIndustryInvoice(note, errors);
    } else {
      final InvoiceType invoice = INVOICE.read(stream);
      made = invoice == null ? null : UBL21InvoiceToCIID16BConverter.convertToCrossIndustryInvoice(invoice, errors);
    }
    return made == null ? null : CII.getAsBytes(made);
  }

  private ForeignConverters() {}
}
