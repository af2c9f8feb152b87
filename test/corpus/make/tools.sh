#!/bin/sh
# The files of command line producers: LibreOffice, Chromium, Ghostscript, TeX, groff, pango/cairo, Inkscape, R, gnuplot,
# mutool, qpdf, poppler, pdftk.      tools.sh FILES REFUSED WORK
# Run after libraries.py (some inputs come from there). Each tool is Debian 12's; no font but free ones is embedded.
set -eu
files=$1 refused=$2 work=$3
here=$(cd "$(dirname "$0")" && pwd)
content=$here/content
mkdir -p "$work"
put() { mkdir -p "$files/$1"; cat > "$files/$1/$2.pdf"; }

libreoffice() { # name source filter options
  rm -rf "$work/lo"; mkdir -p "$work/lo"
  soffice --headless "-env:UserInstallation=file://$work/lo-profile" --convert-to "pdf:$3:$4" --outdir "$work/lo" "$content/$2" >/dev/null 2>&1
  put libreoffice "$1" < "$work/lo/${2%.*}.pdf"
}
value() { printf '"%s":{"type":"%s","value":"%s"}' "$1" "$2" "$3"; }
version() { value SelectPdfVersion long "$1"; }
libreoffice letter-plain letter.fodt writer_pdf_Export '{}'
libreoffice letter-tagged letter.fodt writer_pdf_Export "{$(value UseTaggedPDF boolean true),$(value ExportBookmarks boolean true)}"
libreoffice letter-pdfa-1b letter.fodt writer_pdf_Export "{$(version 1)}"
libreoffice letter-pdfa-2b letter.fodt writer_pdf_Export "{$(version 2)}"
libreoffice letter-pdfa-3b letter.fodt writer_pdf_Export "{$(version 3)}"
libreoffice letter-pdf-1.5 letter.fodt writer_pdf_Export "{$(version 15)}"
libreoffice letter-hybrid-odf letter.fodt writer_pdf_Export "{$(value IsAddStream boolean true)}"
libreoffice letter-ua-claimed letter.fodt writer_pdf_Export "{$(value PDFUACompliance boolean true)}"
libreoffice sheet sheet.fods calc_pdf_Export '{}'
libreoffice plan plan.fodg draw_pdf_Export '{}'
libreoffice slides slides.fodp impress_pdf_Export '{}'
"${PYTHON:-python3}" "$here/libreoffice_form.py" "$work/form.odt"
cp "$work/form.odt" "$content/form.odt"
libreoffice form form.odt writer_pdf_Export "{$(value ExportFormFields boolean true)}"
rm "$content/form.odt"

chromium_print() { # name source
  chromium --headless=new --no-sandbox --disable-gpu --no-pdf-header-footer --user-data-dir="$work/chromium" \
    --print-to-pdf="$work/chromium.pdf" "file://$content/$2" >/dev/null 2>&1
  put chromium "$1" < "$work/chromium.pdf"
}
chromium_print report report.html
chromium_print form-flat form.html
chromium_print chart chart.svg

(cd "$work" && cp "$content"/*.tex . && for i in 1 2; do pdflatex -interaction=batchmode paper.tex >/dev/null; done && put pdftex paper-object-streams < paper.pdf
 pdflatex -interaction=batchmode paper-old.tex >/dev/null && put pdftex paper-classic < paper-old.pdf)
groff -Tpdf -ms "$content/letter.groff.ms" 2>/dev/null | put groff notes

pango-view -q --font='DejaVu Serif 14' --output="$work/pango.pdf" "$content/text.txt"
put cairo pango-text < "$work/pango.pdf"
rsvg-convert -f pdf -o "$work/rsvg.pdf" "$content/chart.svg"
put cairo rsvg-chart < "$work/rsvg.pdf"
HOME=$work inkscape --export-type=pdf --export-filename="$work/inkscape.pdf" "$content/chart.svg" >/dev/null 2>&1
put cairo inkscape-chart < "$work/inkscape.pdf"
(cd "$work" && gnuplot -e 'set terminal pdfcairo font "DejaVu Sans,10"; set output "gnuplot.pdf"; plot sin(x) title "tide"')
put cairo gnuplot-tide < "$work/gnuplot.pdf"
(cd "$work" && R --vanilla --slave -e 'pdf("r.pdf", title="Depths"); plot(c(3,5,4,8), type="b", main="Depths"); barplot(c(1,2,3)); dev.off()' >/dev/null)
put r depths < "$work/r.pdf"

# Ghostscript reads what cairo made, so that the embedded font is DejaVu and not the one it ships with.
distill() { gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=pdfwrite "--permit-file-read=$work/:$here/:$files/" "$@"; }
pango-view -q --font='DejaVu Serif 14' --output="$work/pango.ps" "$content/text.txt"
distill -dCompatibilityLevel=1.3 -sOutputFile="$work/gs.pdf" "$work/pango.ps"
put ghostscript text-1.3 < "$work/gs.pdf"
distill -dCompatibilityLevel=1.7 -sOutputFile="$work/gs.pdf" "$files/weasyprint/report.pdf"
put ghostscript report-1.7 < "$work/gs.pdf"
distill -dCompatibilityLevel=2.0 -sOutputFile="$work/gs.pdf" "$files/cairo/pango-text.pdf"
put ghostscript text-2.0 < "$work/gs.pdf"
distill -dFastWebView=true -sOutputFile="$work/gs.pdf" "$files/pdftex/paper-classic.pdf"
put ghostscript linearized < "$work/gs.pdf"
cp "${ICC_PROFILE:?path of sRGB2014.icc}" "$work/srgb.icc"
for part in 1 2 3; do
  sed "s|@ICC@|$work/srgb.icc|" "$here/pdfa_def.ps" > "$work/pdfa_def.ps"
  distill -dPDFA=$part -dPDFACompatibilityPolicy=1 -sColorConversionStrategy=RGB -dCompatibilityLevel=1.$((part == 1 ? 4 : 7)) \
    -sOutputFile="$work/gs.pdf" "$work/pdfa_def.ps" "$work/pango.ps"
  put ghostscript "text-pdfa-${part}b" < "$work/gs.pdf"
done

cat > "$work/page.txt" <<'EOT'
%%MediaBox 0 0 500 500
%%Font F Helvetica
BT /F 18 Tf 40 440 Td (Made by mutool create) Tj ET
0.2 0.4 0.6 rg 40 40 200 200 re f
EOT
mutool create -o "$work/mutool.pdf" "$work/page.txt" && put mupdf created < "$work/mutool.pdf"
mutool clean -gggg -z "$files/weasyprint/report.pdf" "$work/mutool.pdf" && put mupdf cleaned < "$work/mutool.pdf"
mutool clean -l "$files/handwritten/deep-page-tree.pdf" "$work/mutool.pdf" && put mupdf linearized < "$work/mutool.pdf"
mutool convert -F pdf -o "$work/mutool.pdf" "$content/chart.svg" && put mupdf converted < "$work/mutool.pdf"
mutool merge -o "$work/mutool.pdf" "$files/handwritten/pdf-1.0.pdf" "$files/pdftex/paper-classic.pdf" && put mupdf merged < "$work/mutool.pdf"

transform() { # name arguments of qpdf, input last
  name=$1; shift
  qpdf "$@" "$work/qpdf.pdf"; put qpdf "$name" < "$work/qpdf.pdf"
}
transform linearized-classic --linearize --object-streams=disable "$files/weasyprint/report.pdf"
transform linearized-object-streams --linearize --object-streams=generate "$files/libreoffice/letter-tagged.pdf"
transform object-streams --object-streams=generate --compress-streams=y "$files/reportlab/form.pdf"
transform qdf --qdf --object-streams=disable "$files/pdftex/paper-object-streams.pdf"
transform qdf-object-streams --qdf --object-streams=generate "$files/handwritten/layers.pdf"
transform attached --add-attachment "$content/sheet.fods" --mimetype=application/vnd.oasis.opendocument.spreadsheet -- "$files/chromium/report.pdf"
transform 300-pages-linearized --linearize --object-streams=generate "$files/reportlab/300-pages.pdf"
transform flattened-rotation --flatten-rotation "$files/handwritten/rotated-four-ways.pdf"
transform min-version-2.0 --force-version=2.0 --object-streams=generate "$files/libreoffice/slides.pdf"
# A linearized file with an update after it: its first-page hints no longer hold (ISO 32000-2 annex F.4).
"${PYTHON:-python3}" "$here/append_update.py" "$files/qpdf/linearized-classic.pdf" "$work/updated.pdf"
put qpdf linearized-then-updated < "$work/updated.pdf"

pdfunite "$files/chromium/report.pdf" "$files/cairo/rsvg-chart.pdf" "$files/handwritten/rotated-90.pdf" "$work/poppler.pdf" && put poppler united < "$work/poppler.pdf"
pdfseparate -f 2 -l 2 "$files/weasyprint/report.pdf" "$work/separated-%d.pdf" && put poppler separated < "$work/separated-2.pdf"
pdftocairo -pdf "$files/handwritten/rotated-four-ways.pdf" "$work/poppler.pdf" && put poppler to-cairo < "$work/poppler.pdf"
pdftk "$files/handwritten/pdf-1.3-crlf.pdf" "$files/reportlab/links-and-outlines.pdf" cat output "$work/pdftk.pdf" && put pdftk joined < "$work/pdftk.pdf"
printf '%%FDF-1.2\n1 0 obj\n<< /FDF << /Fields [<< /T (ship) /V (Guillemot) >>] >> >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%%%EOF\n' > "$work/fill.fdf"
pdftk "$files/reportlab/form.pdf" fill_form "$work/fill.fdf" output "$work/pdftk.pdf" && put pdftk form-filled < "$work/pdftk.pdf"

qpdf --encrypt user owner 256 -- "$files/handwritten/version-in-catalog.pdf" "$refused/encrypted-user-password.pdf"
qpdf --allow-weak-crypto --encrypt '' owner 128 --use-aes=y -- "$files/handwritten/pdf-2.0-classic.pdf" "$files/qpdf/encrypted-aes-128.pdf" || [ $? = 3 ]
size=$(wc -c < "$files/qpdf/linearized-classic.pdf")
head -c $((size * 2 / 3)) "$files/qpdf/linearized-classic.pdf" > "$refused/truncated-linearized.pdf"
