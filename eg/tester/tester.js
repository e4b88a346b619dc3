// tester.js: a button beside each text to take away. Without it the page is the same, and the text is selected by hand.
"use strict";

function select(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}

for (const text of document.querySelectorAll("pre.copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
        select(text);
        try {
            await navigator.clipboard.writeText(text.textContent);
            button.textContent = "Copied";
        } catch {
            button.textContent = "Selected: copy it by the keyboard";
        }
    });
    text.before(button);
}
