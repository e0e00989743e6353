"use strict";
// Asks every two seconds how far a plan is, until it has ended; then the page is loaded again with what came of it.
(function () {
  const PAUSE_MS = 2000;

  function show(box, news) {
    document.getElementById(box.dataset.badge).textContent = news.state_words;
    box.querySelector("progress").value = news.percent;
    box.querySelector(".percent").textContent = news.percent + " %";
    box.querySelector(".text").textContent = news.text;
    box.querySelector(".hint").textContent = news.hint;
  }

  function isTyping() {
    const field = document.activeElement;
    return Boolean(field && field.form && field.value && field.type === "text");
  }

  async function watch(box) {
    try {
      const answer = await fetch(box.dataset.progressUrl, { credentials: "same-origin" });
      if (!answer.ok) {
        throw new Error(String(answer.status));
      }
      const news = await answer.json();
      show(box, news);
      if (!news.at_work) {
        // What somebody is writing must not be lost to a reload.
        if (!isTyping()) {
          location.reload();
        }
        return;
      }
    } catch (error) {
      box.querySelector(".hint").textContent = box.dataset.lost;
    }
    setTimeout(watch, PAUSE_MS, box);
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-progress-url]").forEach(watch);
  });
})();
